import type { DType } from "../dtype.ts";
import * as ops from "../ops/elementwise.ts";
import { type Tensor, wrap } from "../tensor.ts";
import type { Broadcast, Check, Ok, Shape } from "../types/shape-types.ts";

/** 1 / (1 + e^-x). */
export function sigmoid<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(ops.sigmoid(x));
}

/** max(x, 0). */
export function relu<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(ops.relu(x));
}

/** The error function. */
export function erf<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(ops.erf(x));
}

/** e^x - 1, accurate near 0. */
export function expm1<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(ops.expm1(x));
}

/** log(1 + x), accurate near 0. */
export function log1p<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(ops.log1p(x));
}

export function sin<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(ops.sin(x));
}

export function cos<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(ops.cos(x));
}

/** 1 / sqrt(x). */
export function rsqrt<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(ops.rsqrt(x));
}

/** 1 / x. */
export function reciprocal<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(ops.reciprocal(x));
}

/** -1, 0 or 1. */
export function sign<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return wrap(ops.sign(x));
}

export function floor<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(ops.floor(x));
}

export function ceil<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(ops.ceil(x));
}

/** To the nearest integer, halves to the even one. */
export function round<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(ops.round(x));
}

// biome-ignore lint/suspicious/noShadowRestrictedNames: the name it has everywhere else
export function isNaN<S extends Shape>(x: Tensor<S>): Tensor<S, "bool"> {
  return wrap(ops.isNaN(x));
}

export function logicalNot<S extends Shape>(x: Tensor<S, "bool">): Tensor<S, "bool"> {
  return wrap(ops.logicalNot(x));
}

export function logicalAnd<A extends Shape, B extends Shape>(
  a: Tensor<A, "bool">,
  b: Tensor<B, "bool"> & Check<Broadcast<A, B>>,
): Tensor<Ok<Broadcast<A, B>>, "bool"> {
  return wrap(ops.logicalAnd(a, b as Tensor<B, "bool">));
}

export function logicalOr<A extends Shape, B extends Shape>(
  a: Tensor<A, "bool">,
  b: Tensor<B, "bool"> & Check<Broadcast<A, B>>,
): Tensor<Ok<Broadcast<A, B>>, "bool"> {
  return wrap(ops.logicalOr(a, b as Tensor<B, "bool">));
}

/** Where `condition` holds, `a`; elsewhere `b`; the three broadcast. */
export function where<C extends Shape, A extends Shape, B extends Shape, D extends DType>(
  condition: Tensor<C, "bool">,
  a: Tensor<A, D> & Check<Broadcast<C, A>>,
  b: Tensor<B, D> & Check<Broadcast<Ok<Broadcast<C, A>>, B>>,
): Tensor<Ok<Broadcast<Ok<Broadcast<C, A>>, B>>, D> {
  return wrap(ops.where(condition, a as Tensor<A, D>, b as Tensor<B, D>));
}

/** `x` limited to `low`..`high`. */
export function clamp<S extends Shape>(x: Tensor<S>, low: number, high: number): Tensor<S> {
  using raised = x.maximum<S, []>(low);
  return raised.minimum<S, []>(high);
}
