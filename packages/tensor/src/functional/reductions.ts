import type { DType } from "../dtype.ts";
import * as reduce from "../ops/reduce.ts";
import type { Summed } from "../promotion.ts";
import { type Tensor, wrap } from "../tensor.ts";
import type { Axes, Reduce } from "../types/axes.ts";
import type { Check, Ok, Shape } from "../types/shape-types.ts";
import { operand } from "./operand.ts";

// Over an axis, over several (`[0, 1]`), or over all when none is given; negative ones count from the end.

/** Of uint8 and bool, in int32: `mask.sum()` counts. */
export function sum<S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: A & Check<Reduce<S, A, K>>,
  keepDim?: K,
): Tensor<Ok<Reduce<S, A, K>>, Summed<D>> {
  return wrap(reduce.sum(operand("sum", x), axis, keepDim));
}

export function mean<S extends Shape, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S>,
  axis?: A & Check<Reduce<S, A, K>>,
  keepDim?: K,
): Tensor<Ok<Reduce<S, A, K>>> {
  return wrap(reduce.mean(operand("mean", x), axis, keepDim));
}

/** Of uint8 and bool, in int32. */
export function prod<S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: A & Check<Reduce<S, A, K>>,
  keepDim?: K,
): Tensor<Ok<Reduce<S, A, K>>, Summed<D>> {
  return wrap(reduce.prod(operand("prod", x), axis, keepDim));
}

export function max<S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: A & Check<Reduce<S, A, K>>,
  keepDim?: K,
): Tensor<Ok<Reduce<S, A, K>>, D> {
  return wrap(reduce.max(operand("max", x), axis, keepDim));
}

export function min<S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: A & Check<Reduce<S, A, K>>,
  keepDim?: K,
): Tensor<Ok<Reduce<S, A, K>>, D> {
  return wrap(reduce.min(operand("min", x), axis, keepDim));
}

/** Index of the largest element; the first one of equals. */
export function argMax<S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: A & Check<Reduce<S, A, K>>,
  keepDim?: K,
): Tensor<Ok<Reduce<S, A, K>>, "int32"> {
  return wrap(reduce.argMax(operand("argMax", x), axis, keepDim));
}

export function argMin<S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: A & Check<Reduce<S, A, K>>,
  keepDim?: K,
): Tensor<Ok<Reduce<S, A, K>>, "int32"> {
  return wrap(reduce.argMin(operand("argMin", x), axis, keepDim));
}
