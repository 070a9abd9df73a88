import type { DType } from "../dtype.ts";
import * as rearrange from "../ops/rearrange.ts";
import * as views from "../ops/views.ts";
import { type Tensor, wrap } from "../tensor.ts";
import type { Permute, ReplaceAxis, Transpose, Unsqueeze } from "../types/axes.ts";
import type { Expand, Flatten, Reshape } from "../types/reshape.ts";
import type { Broadcast, Check, Ok, Shape } from "../types/shape-types.ts";
import { operand } from "./operand.ts";

// The methods of the same names tell more.

/** The same elements in another shape; one size may be -1. Copies only where strides leave no other way. */
export function reshape<S extends Shape, D extends DType, const R extends Shape>(
  x: Tensor<S, D>,
  shape: R & Check<Reshape<S, R>>,
): Tensor<Ok<Reshape<S, R>>, D> {
  return wrap(rearrange.reshape(operand("reshape", x), shape));
}

/** The same elements with the axes from `first` to `last` (all, unless told otherwise) made one. */
export function flatten<S extends Shape, D extends DType, A extends number = 0, B extends number = -1>(
  x: Tensor<S, D>,
  first?: A & Check<Flatten<S, A, B>>,
  last?: B,
): Tensor<Ok<Flatten<S, A, B>>, D> {
  return wrap(rearrange.flatten(operand("flatten", x), first ?? 0, last ?? -1));
}

/** A view with two axes exchanged, the last two unless told otherwise. */
export function transpose<S extends Shape, D extends DType, A extends number = -2, B extends number = -1>(
  x: Tensor<S, D>,
  a?: A & Check<Transpose<S, A, B>>,
  b?: B,
): Tensor<Ok<Transpose<S, A, B>>, D> {
  return wrap(views.transpose(operand("transpose", x), a ?? -2, b ?? -1));
}

/** A view with the axes in another order. */
export function permute<S extends Shape, D extends DType, const A extends readonly number[]>(
  x: Tensor<S, D>,
  axes: A & Check<Permute<S, A>>,
): Tensor<Ok<Permute<S, A>>, D> {
  return wrap(views.permute(operand("permute", x), axes));
}

/** A view of `start <= i < end` (every `step`-th) along an axis; negative numbers count from the end. */
export function slice<S extends Shape, D extends DType, A extends number>(
  x: Tensor<S, D>,
  axis: A & Check<ReplaceAxis<"slice", S, A, [number]>>,
  start: number,
  end?: number,
  step?: number,
): Tensor<Ok<ReplaceAxis<"slice", S, A, [number]>>, D> {
  return wrap(views.slice(operand("slice", x), axis, start, end, step));
}

/** A view of one index along an axis, which disappears. */
export function select<S extends Shape, D extends DType, A extends number>(
  x: Tensor<S, D>,
  axis: A & Check<ReplaceAxis<"select", S, A, []>>,
  index: number,
): Tensor<Ok<ReplaceAxis<"select", S, A, []>>, D> {
  return wrap(views.select(operand("select", x), axis, index));
}

/** Views of consecutive pieces of the given sizes along an axis, which they must fill. */
export function split<S extends Shape, D extends DType, const Sizes extends readonly number[], A extends number>(
  x: Tensor<S, D>,
  sizes: Sizes,
  axis: A & Check<ReplaceAxis<"split", S, A, []>>,
): { -readonly [K in keyof Sizes]: Tensor<Ok<ReplaceAxis<"split", S, A, [Sizes[K] & number]>>, D> } {
  return views.split(operand("split", x), sizes, axis).map((piece) => wrap(piece)) as {
    -readonly [K in keyof Sizes]: Tensor<Ok<ReplaceAxis<"split", S, A, [Sizes[K] & number]>>, D>;
  };
}

/** A view without an axis of size one. */
export function squeeze<S extends Shape, D extends DType, A extends number>(
  x: Tensor<S, D>,
  axis: A & Check<ReplaceAxis<"squeeze", S, A, []>>,
): Tensor<Ok<ReplaceAxis<"squeeze", S, A, []>>, D> {
  return wrap(views.squeeze(operand("squeeze", x), axis));
}

/** A view with a new axis of size one before `axis`. */
export function unsqueeze<S extends Shape, D extends DType, A extends number>(
  x: Tensor<S, D>,
  axis: A,
): Tensor<Unsqueeze<S, A>, D> {
  return wrap(views.unsqueeze(operand("unsqueeze", x), axis));
}

/** A view that repeats axes of size one (and new leading axes) up to `shape`, in which -1 keeps an axis's size. */
export function expand<S extends Shape, D extends DType, const R extends Shape>(
  x: Tensor<S, D>,
  shape: R & Check<Broadcast<S, Expand<S, R>>>,
): Tensor<Expand<S, R>, D> {
  return wrap(views.expand(operand("expand", x), shape));
}

/**
 * A view of all windows of `size` elements along an axis, `step` apart: `[..., N, ...]` → `[..., windows, ..., size]`, as
 * `torch.Tensor.unfold` and `numpy.lib.stride_tricks.sliding_window_view` have it. `unfold(x, 0, 3).mean(-1)` is a moving average.
 */
export function unfold<S extends Shape, D extends DType, A extends number, const Size extends number>(
  x: Tensor<S, D>,
  axis: A & Check<ReplaceAxis<"unfold", S, A, [number]>>,
  size: Size,
  step = 1,
): Tensor<Ok<Windows<S, A, Size>>, D> {
  return wrap(views.unfold(operand("unfold", x), axis, size, step));
}

/** `S` with any size at `Axis`, and `Size` more elements in a new last axis. */
export type Windows<S extends Shape, Axis extends number, Size extends number> =
  ReplaceAxis<"unfold", S, Axis, [number]> extends infer Longer extends Shape ? [...Longer, Size] : Shape;
