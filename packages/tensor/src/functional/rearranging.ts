// Elements moved, repeated or laid in other places. What is no view is made of gather, concat, copies and views.
import type { DType } from "../dtype.ts";
import { ShapeMismatchError } from "../errors.ts";
import { tidy } from "../memory.ts";
import { expectNumbers, expectRank, expectTensors } from "../ops/checks.ts";
import * as views from "../ops/views.ts";
import { showValue } from "../options.ts";
import { normalizeAxis, showShape } from "../shape.ts";
import { type AnyTensor, type Tensor, wrap } from "../tensor.ts";
import type { ReplaceAxis } from "../types/axes.ts";
import type { Pad, PadWidths, Tile } from "../types/reshape.ts";
import type { Check, Ok, Shape } from "../types/shape-types.ts";
import { arange, full } from "./creation.ts";
import { operand } from "./operand.ts";
import { concat } from "./rows.ts";

/** The slices of `x` at `indices` along an axis, one after the other (`numpy.take`). Throws for an index outside the axis. */
export function indexSelect<S extends Shape, D extends DType, A extends number, N extends number>(
  x: Tensor<S, D>,
  axis: A & Check<ReplaceAxis<"indexSelect", S, A, [N]>>,
  indices: Tensor<[N], "int32">,
): Tensor<Ok<ReplaceAxis<"indexSelect", S, A, [N]>>, D> {
  const given: AnyTensor = operand("indexSelect", x as AnyTensor);
  const along = normalizeAxis("indexSelect", axis, given.rank);
  const chosen: AnyTensor = operand("indexSelect", indices as AnyTensor, "int32");
  expectRank("indexSelect", "indices", chosen, 1, "[N]");
  return tidy(() => {
    const column = given.shape.map((_, i) => (i === along ? chosen.size : 1));
    const everywhere = chosen.reshape(column).expand(given.shape.with(along, chosen.size));
    return given.gather(along, everywhere as Tensor<Shape, "int32">);
  }) as Tensor<never, D>;
}

/** `x` in reverse order along an axis or several. */
export function flip<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  axes: number | readonly number[],
): Tensor<S, D> {
  const given: AnyTensor = operand("flip", x as AnyTensor);
  return tidy(() =>
    [axes].flat().reduce((flipped: AnyTensor, axis) => {
      const size = given.shape[normalizeAxis("flip", axis, given.rank)]!;
      const backwards = arange(size - 1, -1, -1, { dtype: "int32", device: given.device });
      return indexSelect(flipped, axis as number, backwards);
    }, given.contiguous()),
  ) as unknown as Tensor<S, D>;
}

/** `x` moved along an axis by `shift` places; what leaves at the end comes back in front. Without an axis, as one row. */
export function roll<S extends Shape, D extends DType>(x: Tensor<S, D>, shift: number, axis?: number): Tensor<S, D> {
  const given: AnyTensor = operand("roll", x as AnyTensor);
  if (!Number.isInteger(shift)) {
    throw new ShapeMismatchError("roll", `expected a whole number of places, got ${showValue(shift)}`);
  }
  return tidy(() => {
    const rows = axis === undefined ? given.flatten() : given;
    const along = axis ?? 0;
    const size = rows.shape[normalizeAxis("roll", along, rows.rank)]!;
    const cut = size === 0 ? 0 : ((-shift % size) + size) % size;
    return concat([rows.slice(along, cut), rows.slice(along, 0, cut)], along).reshape(given.shape);
  }) as unknown as Tensor<S, D>;
}

/**
 * `x` with more around it: `[[1, 1], [0, 2]]` before and after each axis, or as much on all sides. Full of `value`, which the element
 * type must hold.
 */
export function pad<S extends Shape, D extends DType, const W extends PadWidths>(
  x: Tensor<S, D>,
  widths: W & Check<Pad<S, W>>,
  value = 0,
): Tensor<Ok<Pad<S, W>>, D> {
  const given: AnyTensor = operand("pad", x as AnyTensor);
  const pairs = pairsOf(widths, given.shape);
  return tidy(() => {
    const shape = given.shape.map((size, axis) => pairs[axis]![0] + size + pairs[axis]![1]);
    const out: AnyTensor = full(shape, value, { dtype: x.dtype, device: given.device });
    const inner = pairs.reduce(
      (view: AnyTensor, [before], axis) => view.slice(axis as number, before, before + given.shape[axis]!),
      out,
    );
    inner.copy_(given);
    return out;
  }) as unknown as Tensor<Ok<Pad<S, W>>, D>;
}

function pairsOf(widths: PadWidths, shape: readonly number[]): readonly (readonly [number, number])[] {
  const pairs = typeof widths === "number" ? shape.map(() => [widths, widths] as const) : widths;
  const isWidth = (width: unknown) => Number.isInteger(width) && (width as number) >= 0;
  const fits =
    Array.isArray(pairs) &&
    pairs.length === shape.length &&
    pairs.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every(isWidth));
  if (fits) return pairs;
  throw new ShapeMismatchError(
    "pad",
    `expected a width from 0, or [before, after] for each axis of ${showShape(shape)}, got ${showValue(widths)}`,
  );
}

/** `x` side by side with itself, so many times along each axis, as `numpy.tile` and `torch.Tensor.repeat` have it. */
export function tile<S extends Shape, D extends DType, const T extends readonly number[]>(
  x: Tensor<S, D>,
  times: T,
): Tensor<Tile<S, T>, D> {
  const given: AnyTensor = operand("tile", x as AnyTensor);
  expectTimes("tile", times);
  const rank = Math.max(given.rank, times.length);
  const shape = [...Array<number>(rank - given.rank).fill(1), ...given.shape];
  const each = [...Array<number>(rank - times.length).fill(1), ...times];
  return tidy(() =>
    given
      .reshape(shape.flatMap((size) => [1, size]))
      .expand(shape.flatMap((size, axis) => [each[axis]!, size]))
      .reshape(shape.map((size, axis) => size * each[axis]!)),
  ) as unknown as Tensor<Tile<S, T>, D>;
}

/** Each slice of `x` along an axis so many times in a row, as `numpy.repeat` has it. */
export function repeatInterleave<S extends Shape, D extends DType, A extends number>(
  x: Tensor<S, D>,
  times: number,
  axis: A & Check<ReplaceAxis<"repeatInterleave", S, A, [number]>>,
): Tensor<Ok<ReplaceAxis<"repeatInterleave", S, A, [number]>>, D> {
  const given: AnyTensor = operand("repeatInterleave", x as AnyTensor);
  expectTimes("repeatInterleave", [times]);
  const along = normalizeAxis("repeatInterleave", axis, given.rank);
  const { shape } = given;
  return tidy(() =>
    given
      .unsqueeze(along + 1)
      .expand(shape.toSpliced(along + 1, 0, times))
      .reshape(shape.with(along, shape[along]! * times)),
  ) as Tensor<never, D>;
}

function expectTimes(op: string, times: readonly number[]): void {
  expectNumbers(op, "times", times, "[2, 3]");
  if (times.every((count) => Number.isInteger(count) && count >= 0)) return;
  throw new ShapeMismatchError(op, `expected whole numbers from 0 of times, got ${showValue(times)}`);
}

/** One tensor for each vector: its elements along an axis of their own, repeated along the others'. */
export type Grids<Vectors extends readonly Tensor<readonly [number], DType>[]> = {
  -readonly [K in keyof Vectors]: Tensor<SizesOf<Vectors>, Vectors[K]["dtype"]>;
};

type SizesOf<Vectors extends readonly Tensor<readonly [number], DType>[]> = {
  -readonly [K in keyof Vectors]: Vectors[K]["shape"][0];
};

/**
 * Views of vectors of N, M, … elements as `[N, M, …]`, the coordinates of a grid: the first runs down the first axis, the second down the
 * second. (`indexing="ij"` of NumPy and PyTorch; NumPy's default `"xy"` exchanges the first two axes, as `transpose(0, 1)` does.)
 */
export function meshgrid<const V extends readonly Tensor<readonly [number], DType>[]>(vectors: V): Grids<V> {
  expectTensors("meshgrid", vectors);
  for (const [i, vector] of vectors.entries()) expectRank("meshgrid", `vector ${i}`, vector, 1, "[N]");
  const shape = vectors.map(({ size }) => size);
  return vectors.map((vector, i) => {
    const column = views.reshapeView(
      vector,
      shape.map((size, axis) => (axis === i ? size : 1)),
    )!;
    return wrap(views.expand(column, shape));
  }) as unknown as Grids<V>;
}

/** A view of the diagonal of the last two axes; a positive offset lies above the main one. */
export function diagonal<S extends Shape, D extends DType>(x: Tensor<S, D>, offset = 0): Tensor<Diagonal<S>, D> {
  const given = operand("diagonal", x);
  expectOffset("diagonal", offset);
  if (given.rank < 2) throw new ShapeMismatchError("diagonal", `needs at least 2 axes, got ${showShape(given.shape)}`);
  return wrap(views.diagonal(given, offset));
}

/** The shape of the diagonals of the last two axes of `S`. */
export type Diagonal<S extends Shape> = S extends readonly [...infer Batch extends Shape, number, number]
  ? [...Batch, number]
  : Shape;

/** A matrix with the vector `x` on a diagonal and 0 elsewhere; or a view of the diagonal of a matrix. */
export function diag<S extends Shape, D extends DType>(x: Tensor<S, D>, offset = 0): Tensor<Diag<S>, D> {
  const given: AnyTensor = operand("diag", x as AnyTensor);
  expectOffset("diag", offset);
  if (given.rank === 2) return wrap(views.diagonal(given, offset));
  if (given.rank !== 1) throw new ShapeMismatchError("diag", `expected 1 or 2 axes, got ${showShape(given.shape)}`);
  const n = given.size + Math.abs(offset);
  return tidy(() => {
    const out: AnyTensor = full([n, n], 0, { dtype: x.dtype, device: given.device });
    diagonal(out, offset).copy_(given);
    return out;
  }) as unknown as Tensor<Diag<S>, D>;
}

/** The shape that {@link diag} gives. */
export type Diag<S extends Shape> = S extends readonly [infer N extends number]
  ? [N, N]
  : S extends readonly [number, number]
    ? [number]
    : Shape;

function expectOffset(op: string, offset: number): void {
  if (!Number.isInteger(offset)) throw new ShapeMismatchError(op, `expected a whole offset, got ${showValue(offset)}`);
}
