import type { DType } from "../dtype.ts";
import * as indexing from "../ops/indexing.ts";
import * as rearrange from "../ops/rearrange.ts";
import * as reduce from "../ops/reduce.ts";
import { checkChoice, checkOptionNames } from "../options.ts";
import type { DTypeRefusal, Numeric } from "../promotion.ts";
import { type Tensor, wrap } from "../tensor.ts";
import type { Axes, Concat, Reduce, ReplaceAxis, Stack } from "../types/axes.ts";
import type { Check, Ok, Shape } from "../types/shape-types.ts";

/** log(Σ eˣ) over an axis (all axes when none is given), without overflow. */
export function logSumExp<S extends Shape, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S>,
  axis?: A & Check<Reduce<S, A, K>>,
  keepDim?: K,
): Tensor<Ok<Reduce<S, A, K>>> {
  return wrap(reduce.logSumExp(x, axis, keepDim));
}

/** Whether any element over an axis is true. */
export function any<S extends Shape, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, "bool">,
  axis?: A & Check<Reduce<S, A, K>>,
  keepDim?: K,
): Tensor<Ok<Reduce<S, A, K>>, "bool"> {
  return wrap(reduce.any(x, axis, keepDim));
}

/** Whether all elements over an axis are true. */
export function all<S extends Shape, const A extends Axes = undefined, K extends boolean = false>(
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
export function sort<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  axis = -1,
  options: { readonly descending?: boolean } = {},
): { values: Tensor<S, D>; indices: Tensor<S, "int32"> } {
  checkOptionNames(options, ["descending"], "sort");
  checkChoice("descending", options.descending, [true, false]);
  const { values, indices } = indexing.sort(x, axis, options.descending ?? false);
  return { values: wrap(values), indices: wrap(indices) };
}

/** The `k` largest values along an axis, largest first, and where they are; of equals, the lower index comes first. */
export function topK<S extends Shape, D extends DType, const K extends number, A extends number = -1>(
  x: Tensor<S, D>,
  k: K,
  axis?: A & Check<ReplaceAxis<"topK", S, A, [K]>>,
): {
  values: Tensor<Ok<ReplaceAxis<"topK", S, A, [K]>>, D>;
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
export function scatterAdd<S extends Shape, I extends Shape, D extends Numeric>(
  x: Tensor<S, D>,
  axis: number,
  indices: Tensor<I, "int32">,
  source: Tensor<I, D>,
): Tensor<S, D> {
  return wrap(indexing.scatterAdd(x, axis, indices, source));
}

/** The shapes of several tensors. */
export type ShapesOf<Tensors extends readonly Tensor<Shape, DType>[]> = {
  -readonly [K in keyof Tensors]: Tensors[K]["shape"];
};

/** Refuses tensors of different element types. */
export type OneDType<Tensors extends readonly Tensor<Shape, DType>[]> = [Tensors[number]["dtype"]] extends [
  Tensors[0]["dtype"],
]
  ? unknown
  : DType extends Tensors[number]["dtype"]
    ? unknown
    : DTypeRefusal<`not for ${Tensors[number]["dtype"]} together: cast them to one element type`>;

/** Tensors of one element type joined along an axis; all their other sizes agree. */
export function concat<const T extends readonly Tensor<Shape, DType>[], const A extends number = 0>(
  tensors: T & OneDType<T> & Check<Concat<ShapesOf<T>, A>>,
  axis?: A,
): Tensor<Ok<Concat<ShapesOf<T>, A>>, T[number]["dtype"]> {
  return wrap(rearrange.concat(tensors, axis ?? 0));
}

/** Tensors of one shape and element type side by side along a new axis. */
export function stack<const T extends readonly Tensor<Shape, DType>[], const A extends number = 0>(
  tensors: T & OneDType<T> & Check<Stack<ShapesOf<T>, A>>,
  axis?: A,
): Tensor<Ok<Stack<ShapesOf<T>, A>>, T[number]["dtype"]> {
  return wrap(rearrange.stack(tensors, axis ?? 0));
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

/** Elements of `x` at `indices` along `axis`: `out[i][j] = x[i][indices[i][j]]` for the last axis. */
export function gather<D extends DType, I extends Shape>(
  x: Tensor<Shape, D>,
  axis: number,
  indices: Tensor<I, "int32">,
): Tensor<I, D> {
  return wrap(indexing.gather(x, axis, indices));
}
