import type { DType } from "../dtype.ts";
import { keep, tidy } from "../memory.ts";
import * as binary from "../ops/binary.ts";
import { expectDType, expectTensor } from "../ops/checks.ts";
import * as reduce from "../ops/reduce.ts";
import * as unary from "../ops/unary.ts";
import { checkOptionNames } from "../options.ts";
import type { Arithmetic, CheckDTypes, Chosen } from "../promotion.ts";
import { type Tensor, wrap } from "../tensor.ts";
import type { Broadcast, Check, CheckBroadcast, Elementwise, Ok, Shape } from "../types/shape-types.ts";

export function neg<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return wrap(unary.neg(x));
}

export function abs<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return wrap(unary.abs(x));
}

export function square<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return wrap(unary.square(x));
}

export function sqrt<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.sqrt(x));
}

export function exp<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.exp(x));
}

/** Natural logarithm. */
export function log<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.log(x));
}

/** Logarithm to base 2, exact for powers of 2. */
export function log2<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.log2(x));
}

export function tanh<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.tanh(x));
}

/** Sine over cosine. */
export function tan<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return tidy(() => sin(x as Tensor<Shape>).div(cos(x as Tensor<Shape>))) as unknown as Tensor<S>;
}

/** 1 / (1 + e^-x). */
export function sigmoid<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.sigmoid(x));
}

/** max(x, 0). */
export function relu<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.relu(x));
}

/** The error function. */
export function erf<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.erf(x));
}

/** e^x - 1, accurate near 0. */
export function expm1<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.expm1(x));
}

/** log(1 + x), accurate near 0. */
export function log1p<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.log1p(x));
}

export function sin<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.sin(x));
}

export function cos<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.cos(x));
}

/** 1 / sqrt(x). */
export function rsqrt<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.rsqrt(x));
}

/** 1 / x. */
export function reciprocal<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.reciprocal(x));
}

/** -1, 0 or 1. */
export function sign<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return wrap(unary.sign(x));
}

export function floor<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.floor(x));
}

export function ceil<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.ceil(x));
}

/** To the nearest integer, halves to the even one. */
export function round<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.round(x));
}

// biome-ignore lint/suspicious/noShadowRestrictedNames: the name it has everywhere else
export function isNaN<S extends Shape>(x: Tensor<S>): Tensor<S, "bool"> {
  return wrap(unary.isNaN(x));
}

/** Whether an element is neither infinite nor NaN; every integer is. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the name it has everywhere else
export function isFinite<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, "bool"> {
  expectTensor("isFinite", "x", x);
  if (x.dtype !== "float32") return wrap(binary.eq(x, x));
  using size = wrap<S, "float32">(unary.abs(x));
  return wrap(binary.lt(size, Infinity));
}

/** How near two numbers must be: |a − b| ≤ atol + rtol · |b|. */
export interface Closeness {
  /** Default: 10⁻⁵. */
  readonly rtol?: number;
  /** Default: 10⁻⁸. */
  readonly atol?: number;
  /** Whether NaN is close to NaN. Default: false. */
  readonly equalNaN?: boolean;
}

/** Where |a − b| ≤ atol + rtol · |b|, or both are the same infinity. */
export function isClose<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & CheckBroadcast<A, B>,
  options: Closeness = {},
): Tensor<Elementwise<A, B>, "bool"> {
  return closeness("isClose", a as Tensor<Shape>, b as Tensor<Shape>, options) as Tensor<never, "bool">;
}

/** Whether all elements are close, as {@link isClose} has it. */
export async function allClose<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & CheckBroadcast<A, B>,
  options: Closeness = {},
): Promise<boolean> {
  using close = keep(
    tidy(() => wrap(reduce.all(closeness("allClose", a as Tensor<Shape>, b as Tensor<Shape>, options)))),
  );
  return (await close.item()) !== 0;
}

function closeness(op: string, a: Tensor<Shape>, b: Tensor<Shape>, options: Closeness): Tensor<Shape, "bool"> {
  checkOptionNames(options, ["rtol", "atol", "equalNaN"], op);
  const { rtol = 1e-5, atol = 1e-8, equalNaN = false } = options;
  expectDType(op, "a", a, "float32");
  expectDType(op, "b", b, "float32");
  return tidy(() => {
    const apart = a.sub(b).abs();
    const near = logicalAnd(isFinite(apart), apart.le(b.abs().mul(rtol).add(atol)));
    const close = logicalOr(a.eq(b), near);
    return equalNaN ? logicalOr(close, logicalAnd(isNaN(a), isNaN(b))) : close;
  });
}

export function logicalNot<S extends Shape>(x: Tensor<S, "bool">): Tensor<S, "bool"> {
  return wrap(unary.logicalNot(x));
}

export function logicalAnd<A extends Shape, B extends Shape>(
  a: Tensor<A, "bool">,
  b: Tensor<B, "bool"> & Check<Broadcast<A, B>>,
): Tensor<Ok<Broadcast<A, B>>, "bool"> {
  return wrap(binary.logicalAnd(a, b as Tensor<B, "bool">));
}

export function logicalOr<A extends Shape, B extends Shape>(
  a: Tensor<A, "bool">,
  b: Tensor<B, "bool"> & Check<Broadcast<A, B>>,
): Tensor<Ok<Broadcast<A, B>>, "bool"> {
  return wrap(binary.logicalOr(a, b as Tensor<B, "bool">));
}

/**
 * Where `condition` holds, `a`; elsewhere `b`; the three broadcast. A number takes the element type of the tensor beside it,
 * which must hold it (else {@link DTypeError}); two numbers make float32.
 */
export function where<
  C extends Shape,
  A extends Shape = [],
  B extends Shape = [],
  D extends DType = never,
  E extends DType = never,
>(
  condition: Tensor<C, "bool">,
  a: (Tensor<A, D> & Check<Broadcast<C, A>>) | number,
  b: (Tensor<B, E> & Check<Broadcast<Ok<Broadcast<C, A>>, B>>) | number,
): Tensor<Ok<Broadcast<Ok<Broadcast<C, A>>, B>>, Chosen<D, E>> {
  return wrap(binary.where(condition, a as binary.Other, b as binary.Other));
}

/** Integers divided and cut towards zero (PyTorch's `div` with `rounding_mode="trunc"`). Throws where the divisor is 0. */
export function truncDiv<
  S extends Shape,
  D extends Exclude<DType, "float32">,
  B extends Shape = [],
  E extends Exclude<DType, "float32"> = D,
>(
  x: Tensor<S, D>,
  divisor: (Tensor<B, E> & Check<Broadcast<S, B>> & CheckDTypes<Arithmetic<D, E>, D, E>) | number,
): Tensor<Elementwise<S, B>, "int32"> {
  return wrap(binary.truncDiv(x, divisor as binary.Other));
}

/** `x` limited to `low`..`high`, which its element type must hold (else {@link DTypeError}). */
export function clamp<S extends Shape, D extends DType>(x: Tensor<S, D>, low: number, high: number): Tensor<S, D> {
  expectTensor("clamp", "x", x);
  using raised = wrap<S, D>(binary.maximum(x, low));
  return wrap(binary.minimum(raised, high));
}

/** The same values as another element type, as {@link Tensor.cast} converts them. */
export function cast<S extends Shape, E extends DType>(x: Tensor<S, DType>, dtype: E): Tensor<S, E> {
  return wrap(unary.cast(x, dtype));
}
