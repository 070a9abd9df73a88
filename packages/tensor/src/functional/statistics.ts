import type { DType } from "../dtype.ts";
import { ShapeMismatchError } from "../errors.ts";
import { tidy } from "../memory.ts";
import { checkOptionNames, OptionError, showValue } from "../options.ts";
import { normalizeAxis, showShape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import type { Axes, Reduce } from "../types/axes.ts";
import type { Check, Ok, Shape } from "../types/shape-types.ts";
import { isNaN as isNotANumber, where } from "./elementwise.ts";
import { operand } from "./operand.ts";
import { sort } from "./rows.ts";

/** How {@link variance} and {@link std} divide. */
export interface VarianceOptions {
  /** What is subtracted from the number of elements: 1 (the default, PyTorch's) for a sample, 0 (NumPy's default) for all there is. */
  readonly correction?: number;
}

/**
 * Σ (x − mean)² / (n − correction) over an axis, several, or all. Divides by n − 1 unless told otherwise, as PyTorch does: NumPy's
 * default is `{ correction: 0 }`. NaN of nothing, and of one element by n − 1. The method is called `var`.
 */
export function variance<S extends Shape, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S>,
  axis?: A & Check<Reduce<S, A, K>>,
  keepDim?: K,
  options: VarianceOptions = {},
): Tensor<Ok<Reduce<S, A, K>>> {
  return tidy(() => varianceOf("variance", x, axis, keepDim, options)) as Tensor<Ok<Reduce<S, A, K>>>;
}

/** The square root of {@link variance}, by n − 1 unless told otherwise. */
export function std<S extends Shape, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S>,
  axis?: A & Check<Reduce<S, A, K>>,
  keepDim?: K,
  options: VarianceOptions = {},
): Tensor<Ok<Reduce<S, A, K>>> {
  return tidy(() => varianceOf("std", x, axis, keepDim, options).sqrt()) as Tensor<Ok<Reduce<S, A, K>>>;
}

function varianceOf(
  op: string,
  x: Tensor<Shape>,
  axis: Axes,
  keepDim: boolean | undefined,
  options: VarianceOptions,
): Tensor {
  checkOptionNames(options, ["correction"], op);
  const { correction = 1 } = options;
  if (!Number.isFinite(correction)) {
    throw new OptionError("correction", `expected a number, got ${showValue(correction)}`);
  }
  const mean = operand(op, x, "float32").mean(axis, true);
  const count = sizeOf(x.shape.filter((size, i) => size !== mean.shape[i]));
  return x
    .sub(mean)
    .square()
    .sum(axis, keepDim)
    .div(Math.max(0, count - correction));
}

/** Which {@link norm} is meant. */
export interface NormOptions {
  /** Of vectors: 2 unless told otherwise; Infinity for the largest element, 0 for the number of those that are not 0. */
  readonly p?: number;
}

/** (Σ |x|ᵖ)^(1/p) over an axis, several, or all: the length of vectors. (`torch.linalg.vector_norm`; norms of matrices are not here.) */
export function norm<S extends Shape, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S>,
  axis?: A & Check<Reduce<S, A, K>>,
  keepDim?: K,
  options: NormOptions = {},
): Tensor<Ok<Reduce<S, A, K>>> {
  checkOptionNames(options, ["p"], "norm");
  const { p = 2 } = options;
  if (typeof p !== "number" || Number.isNaN(p)) throw new OptionError("p", `expected a number, got ${showValue(p)}`);
  const given: Tensor = operand("norm", x as Tensor<Shape>, "float32");
  return tidy(() => {
    if (p === 2) return given.square().sum(axis, keepDim).sqrt();
    const sizes = given.abs();
    if (p === Infinity) return sizes.max(axis, keepDim);
    if (p === -Infinity) return sizes.min(axis, keepDim);
    if (p === 0) return sizes.ne(0).sum(axis, keepDim).cast("float32");
    if (p === 1) return sizes.sum(axis, keepDim);
    return sizes
      .pow(p)
      .sum(axis, keepDim)
      .pow(1 / p);
  }) as Tensor<Ok<Reduce<S, A, K>>>;
}

/**
 * The element in the middle of an axis, of several, or of all: of an even number the lower of the two, as in PyTorch (NumPy takes
 * their mean); NaN where there is one. float32 or int32. Throws {@link ShapeMismatchError} for no elements.
 */
export function median<S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: A & Check<Reduce<S, A, K>>,
  keepDim?: K,
): Tensor<Ok<Reduce<S, A, K>>, D> {
  const given = operand("median", x as Tensor<Shape>, "float32", "int32");
  const { shape } = given;
  const all = shape.map((_, i) => i);
  const reduced = new Set(
    axis === undefined ? all : [axis].flat().map((each) => normalizeAxis("median", each as number, shape.length)),
  );
  const kept = all.filter((i) => !reduced.has(i));
  const count = sizeOf([...reduced].map((i) => shape[i]!));
  if (count === 0) throw new ShapeMismatchError("median", `has no value for no elements of ${showShape(shape)}`);
  return tidy(() => {
    const rows = given.permute([...kept, ...reduced]).reshape([...kept.map((i) => shape[i]!), count]);
    const { values } = sort(rows);
    const middle = values.select(-1, (count - 1) >> 1);
    // NaN is sorted last.
    const last = values.select(-1, -1);
    const result = x.dtype === "float32" ? where(isNotANumber(last), last, middle) : middle.add(0);
    return keepDim ? result.reshape(shape.map((size, i) => (reduced.has(i) ? 1 : size))) : result;
  }) as unknown as Tensor<Ok<Reduce<S, A, K>>, D>;
}
