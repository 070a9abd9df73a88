import type { DType } from "../dtype.ts";
import * as indexing from "../ops/indexing.ts";
import * as rearrange from "../ops/rearrange.ts";
import * as reduce from "../ops/reduce.ts";
import { checkChoice, checkOptionNames } from "../options.ts";
import { type Tensor, wrap } from "../tensor.ts";
import type { Check, Ok, Reduce, ReplaceAxis, Shape } from "../types/shape-types.ts";

/** log(Σ eˣ) over an axis (all axes when none is given), without overflow. */
export function logSumExp<S extends Shape, A extends number | undefined = undefined, K extends boolean = false>(
  x: Tensor<S>,
  axis?: A & Check<Reduce<S, A, K>>,
  keepDim?: K,
): Tensor<Ok<Reduce<S, A, K>>> {
  return wrap(reduce.logSumExp(x, axis, keepDim));
}

/** Whether any element over an axis is true. */
export function any<S extends Shape, A extends number | undefined = undefined, K extends boolean = false>(
  x: Tensor<S, "bool">,
  axis?: A & Check<Reduce<S, A, K>>,
  keepDim?: K,
): Tensor<Ok<Reduce<S, A, K>>, "bool"> {
  return wrap(reduce.any(x, axis, keepDim));
}

/** Whether all elements over an axis are true. */
export function all<S extends Shape, A extends number | undefined = undefined, K extends boolean = false>(
  x: Tensor<S, "bool">,
  axis?: A & Check<Reduce<S, A, K>>,
  keepDim?: K,
): Tensor<Ok<Reduce<S, A, K>>, "bool"> {
  return wrap(reduce.all(x, axis, keepDim));
}

/** Running sums along an axis. */
export function cumsum<S extends Shape>(x: Tensor<S>, axis: number): Tensor<S> {
  return wrap(reduce.cumsum(x, axis));
}

/** Values along an axis in order, and where each came from; equal values keep their order. */
export function sort<S extends Shape>(
  x: Tensor<S>,
  axis = -1,
  options: { readonly descending?: boolean } = {},
): { values: Tensor<S>; indices: Tensor<S, "int32"> } {
  checkOptionNames(options, ["descending"], "sort");
  checkChoice("descending", options.descending, [true, false]);
  const { values, indices } = indexing.sort(x, axis, options.descending ?? false);
  return { values: wrap(values), indices: wrap(indices) };
}

/** The `k` largest values along an axis, largest first, and where they are; of equals, the lower index comes first. */
export function topK<S extends Shape, const K extends number, A extends number = -1>(
  x: Tensor<S>,
  k: K,
  axis?: A & Check<ReplaceAxis<"topK", S, A, [K]>>,
): {
  values: Tensor<Ok<ReplaceAxis<"topK", S, A, [K]>>>;
  indices: Tensor<Ok<ReplaceAxis<"topK", S, A, [K]>>, "int32">;
} {
  const { values, indices } = indexing.topK(x, k, axis ?? -1);
  return { values: wrap(values), indices: wrap(indices) };
}

/** A copy of `x` with `source` written at `indices` along `axis`; if an index occurs twice, the last one wins. */
export function scatter<S extends Shape, I extends Shape, D extends DType>(
  x: Tensor<S, D>,
  axis: number,
  indices: Tensor<I, "int32">,
  source: Tensor<I, D>,
): Tensor<S, D> {
  return wrap(indexing.scatter(x, axis, indices, source));
}

/** A copy of `x` with `source` added at `indices` along `axis`. */
export function scatterAdd<S extends Shape, I extends Shape>(
  x: Tensor<S>,
  axis: number,
  indices: Tensor<I, "int32">,
  source: Tensor<I>,
): Tensor<S> {
  return wrap(indexing.scatterAdd(x, axis, indices, source));
}

/** Tensors joined along an axis; all their other sizes agree. */
export function concat<D extends DType>(tensors: readonly Tensor<Shape, D>[], axis = 0): Tensor<Shape, D> {
  return wrap(rearrange.concat(tensors, axis));
}

/** Tensors of one shape side by side along a new axis. */
export function stack<D extends DType>(tensors: readonly Tensor<Shape, D>[], axis = 0): Tensor<Shape, D> {
  return wrap(rearrange.stack(tensors, axis));
}

/** The last two axes with everything above the diagonal zeroed (`diagonal` > 0 keeps that many more). */
export function tril<S extends Shape>(x: Tensor<S>, diagonal = 0): Tensor<S> {
  return wrap(rearrange.tril(x, diagonal));
}

/** The last two axes with everything below the diagonal zeroed. */
export function triu<S extends Shape>(x: Tensor<S>, diagonal = 0): Tensor<S> {
  return wrap(rearrange.triu(x, diagonal));
}

/**
 * `x` with `value` where `mask` (broadcast to its shape) holds. Throws {@link DTypeError} for a value that x's element type
 * cannot hold.
 */
export function maskedFill<S extends Shape, D extends DType, M extends Shape>(
  x: Tensor<S, D>,
  mask: Tensor<M, "bool">,
  value: number,
): Tensor<S, D> {
  return wrap(indexing.maskedFill(x, mask, value));
}
