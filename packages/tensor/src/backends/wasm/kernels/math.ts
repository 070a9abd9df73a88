// Elementary functions on four floats at a time. Each is a few operations in float32 after the classic range
// reductions (Cody and Waite, "Software Manual for the Elementary Functions", 1980); the polynomials come from
// test/wasm-kernels/minimax.py and the errors measured against correctly rounded values are asserted in
// test/wasm-kernels/math.test.ts. Tails of arrays go through the same lanes, so an element's bits never depend on where
// it stands.
import { madd } from "./simd";

// @ts-expect-error: decorator
@inline
function all(x: f32): v128 {
  return f32x4.splat(x);
}

// ln 2 in two parts; the first has nine bits, so that its product with an exponent is exact.
// @ts-expect-error: decorator
@inline
const LN2_HIGH: f32 = 0.693359375;
// @ts-expect-error: decorator
@inline
const LN2_LOW: f32 = -2.12194440054690583e-4;
// @ts-expect-error: decorator
@inline
const LOG2_E: f32 = 1.44269504088896341;
// Adding 1.5 · 2^23 rounds to the nearest integer, which then stands in the low bits.
// @ts-expect-error: decorator
@inline
const ROUNDER: f32 = 12582912;
// @ts-expect-error: decorator
@inline
const ROUNDER_BITS: i32 = 0x4b400000;

/** 2^n for lanes of n in -126..127. */
// @ts-expect-error: decorator
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/** p · 2^n, in two steps: n may lie past the normal exponents on either side. */
// @ts-expect-error: decorator
@inline
function scale(p: v128, n: v128): v128 {
  const half = i32x4.shr_s(n, 1);
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(n, half)));
}

/** e^x. */
// @ts-expect-error: decorator
@inline
export function exp(x: v128): v128 {
  // Past these bounds the result is infinity or zero anyway; pmin and pmax let NaN through.
  const bounded = f32x4.pmin(f32x4.pmax(x, all(-104)), all(89));
  const rounded = madd(bounded, all(LOG2_E), all(ROUNDER));
  const n = f32x4.sub(rounded, all(ROUNDER));
  const r = f32x4.sub(f32x4.sub(bounded, f32x4.mul(n, all(LN2_HIGH))), f32x4.mul(n, all(LN2_LOW)));
  let p = madd(all(0.0013814433477818966), r, all(0.008368796668946743));
  p = madd(p, r, all(0.041668396443128586));
  p = madd(p, r, all(0.1666651964187622));
  p = madd(p, r, all(0.4999999403953552));
  p = f32x4.add(all(1), madd(p, f32x4.mul(r, r), r));
  return scale(p, i32x4.sub(rounded, i32x4.splat(ROUNDER_BITS)));
}

/** e^x - 1, accurate near zero. */
// @ts-expect-error: decorator
@inline
export function expm1(x: v128): v128 {
  const bounded = f32x4.pmin(f32x4.pmax(x, all(-18)), all(89));
  const rounded = madd(bounded, all(LOG2_E), all(ROUNDER));
  const n = f32x4.sub(rounded, all(ROUNDER));
  const r = f32x4.sub(f32x4.sub(bounded, f32x4.mul(n, all(LN2_HIGH))), f32x4.mul(n, all(LN2_LOW)));
  let p = madd(all(0.00019845888891723007), r, all(0.001394074410200119));
  p = madd(p, r, all(0.008333389647305012));
  p = madd(p, r, all(0.04166635870933533));
  p = madd(p, r, all(0.1666666567325592));
  p = madd(p, r, all(0.5));
  p = madd(p, f32x4.mul(r, r), r);
  const exponent = i32x4.sub(rounded, i32x4.splat(ROUNDER_BITS));
  // (e^r - 1 + 1 - 2^-n) · 2^n; past n = 64 the one is lost in the sum.
  const inverse = powerOfTwo(i32x4.neg(i32x4.min_s(exponent, i32x4.splat(64))));
  const result = scale(f32x4.add(p, f32x4.sub(all(1), inverse)), exponent);
  return v128.bitselect(x, result, f32x4.eq(x, all(0)));
}

/** The natural logarithm. */
// @ts-expect-error: decorator
@inline
export function log(x: v128): v128 {
  const subnormal = f32x4.lt(x, all(1.1754943508222875e-38));
  const normal = v128.bitselect(f32x4.mul(x, all(33554432)), x, subnormal);
  // x = m · 2^e with m between √½ and √2: subtracting the bits of √½ first makes the exponent round there.
  const e = i32x4.shr_s(i32x4.sub(normal, i32x4.splat(0x3f3504f3)), 23);
  const f = f32x4.sub(i32x4.sub(normal, i32x4.shl(e, 23)), all(1));
  const n = f32x4.convert_i32x4_s(i32x4.sub(e, v128.and(subnormal, i32x4.splat(25))));
  let p = madd(all(0.06746646761894226), f, all(-0.11675654351711273));
  p = madd(p, f, all(0.11888160556554794));
  p = madd(p, f, all(-0.1240558847784996));
  p = madd(p, f, all(0.14219552278518677));
  p = madd(p, f, all(-0.1666799634695053));
  p = madd(p, f, all(0.2000211924314499));
  p = madd(p, f, all(-0.25000008940696716));
  p = madd(p, f, all(0.3333331346511841));
  const square = f32x4.mul(f, f);
  p = madd(f32x4.mul(f, square), p, f32x4.mul(n, all(LN2_LOW)));
  p = f32x4.sub(p, f32x4.mul(all(0.5), square));
  let result = f32x4.add(f32x4.add(f, p), f32x4.mul(n, all(LN2_HIGH)));
  result = v128.bitselect(x, result, f32x4.eq(x, all(f32.POSITIVE_INFINITY)));
  result = v128.bitselect(all(f32.NEGATIVE_INFINITY), result, f32x4.eq(x, all(0)));
  return v128.bitselect(result, all(f32.NaN), f32x4.ge(x, all(0)));
}

/** log(1 + x), accurate near zero: what rounding 1 + x lost is added back. */
// @ts-expect-error: decorator
@inline
export function log1p(x: v128): v128 {
  const sum = f32x4.add(all(1), x);
  const lost = f32x4.sub(x, f32x4.sub(sum, all(1)));
  const result = f32x4.add(log(sum), f32x4.div(lost, sum));
  // At zero the sign would be lost, at -1 and infinity the correction is 0/0 or inf - inf.
  const exact = v128.or(f32x4.eq(x, all(0)), f32x4.eq(x, all(f32.POSITIVE_INFINITY)));
  return v128.bitselect(x, v128.bitselect(log(sum), result, f32x4.eq(sum, all(0))), exact);
}

// @ts-expect-error: decorator
@inline
function withSignOf(magnitude: v128, x: v128): v128 {
  return v128.or(magnitude, v128.and(x, i32x4.splat(0x80000000)));
}

/** The hyperbolic tangent. */
// @ts-expect-error: decorator
@inline
export function tanh(x: v128): v128 {
  const a = f32x4.abs(x);
  const t = f32x4.mul(a, a);
  let p = madd(all(-0.005704986397176981), t, all(0.02063908614218235));
  p = madd(p, t, all(-0.05373971536755562));
  p = madd(p, t, all(0.13331441581249237));
  p = madd(p, t, all(-0.3333328068256378));
  const near = madd(f32x4.mul(a, t), p, a);
  const far = f32x4.sub(all(1), f32x4.div(all(2), f32x4.add(exp(f32x4.add(a, a)), all(1))));
  return withSignOf(v128.bitselect(near, far, f32x4.lt(a, all(0.625))), x);
}

/** 1 / (1 + e^-x). */
// @ts-expect-error: decorator
@inline
export function sigmoid(x: v128): v128 {
  const e = exp(f32x4.neg(f32x4.abs(x)));
  const numerator = v128.bitselect(e, all(1), f32x4.lt(x, all(0)));
  return f32x4.div(numerator, f32x4.add(all(1), e));
}

/** erf(a) for lanes of a in 0..1. */
// @ts-expect-error: decorator
@inline
function erfNear(a: v128): v128 {
  const t = f32x4.mul(a, a);
  let p = madd(all(7.853860734030604e-5), t, all(-0.0008010193705558777));
  p = madd(p, t, all(0.005188327748328447));
  p = madd(p, t, all(-0.026853810995817184));
  p = madd(p, t, all(0.1128358542919159));
  p = madd(p, t, all(-0.3761262595653534));
  p = madd(p, t, all(0.12837916612625122));
  return madd(a, p, a);
}

/** e^(a²) · erfc(a) for lanes of a of at least 1. */
// @ts-expect-error: decorator
@inline
function scaledErfc(a: v128): v128 {
  const t = f32x4.div(all(2), f32x4.add(all(2), a));
  let p = madd(all(-0.07081800699234009), t, all(0.22261762619018555));
  p = madd(p, t, all(-0.19713948667049408));
  p = madd(p, t, all(-0.025034263730049133));
  p = madd(p, t, all(0.005778721999377012));
  p = madd(p, t, all(0.07470925897359848));
  p = madd(p, t, all(0.17909927666187286));
  p = madd(p, t, all(0.24637284874916077));
  p = madd(p, t, all(0.2821350395679474));
  p = madd(p, t, all(0.2820933163166046));
  return f32x4.mul(t, p);
}

/** The error function. */
// @ts-expect-error: decorator
@inline
export function erf(x: v128): v128 {
  // From 4 on the result is 1; pmin lets NaN through.
  const a = f32x4.pmin(f32x4.abs(x), all(4));
  const far = f32x4.sub(all(1), f32x4.mul(exp(f32x4.neg(f32x4.mul(a, a))), scaledErfc(a)));
  return withSignOf(v128.bitselect(erfNear(a), far, f32x4.lt(a, all(1))), x);
}

/**
 * GELU in the tanh form of GPT-2: x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³))) (Hendrycks and Gimpel,
 * arXiv:1606.08415), computed as x · σ(2√(2/π) (x + 0.044715 x³)), which is equal and does not cancel.
 */
// @ts-expect-error: decorator
@inline
export function gelu(x: v128): v128 {
  // From -32 down the result is -0; pmax lets NaN through.
  const y = f32x4.pmax(x, all(-32));
  // -2√(2/π) and its product with 0.044715
  const cubic = madd(all(-0.07135481627159999), f32x4.mul(y, y), all(-1.5957691216057308));
  return f32x4.div(y, f32x4.add(all(1), exp(f32x4.mul(y, cubic))));
}

/** GELU in its exact form: x · Φ(x), the distribution function of the normal distribution. */
// @ts-expect-error: decorator
@inline
export function geluExact(x: v128): v128 {
  // Past 20 the tail is zero in float32, and from 2^64 on a square would overflow; pmin lets NaN through.
  const a = f32x4.pmin(f32x4.abs(x), all(20));
  const scaled = f32x4.mul(a, all(0.7071067811865476));
  const centre = f32x4.mul(all(0.5), withSignOf(erfNear(scaled), x));
  // e^(-a²/2) from a = high + low: the square of the twelve high bits is exact.
  const high = v128.and(a, i32x4.splat(0xfffff000));
  const low = f32x4.mul(f32x4.sub(a, high), f32x4.add(a, high));
  const density = f32x4.mul(exp(f32x4.mul(all(-0.5), f32x4.mul(high, high))), exp(f32x4.mul(all(-0.5), low)));
  const tail = f32x4.mul(f32x4.mul(all(0.5), density), scaledErfc(scaled));
  const far = v128.bitselect(tail, f32x4.sub(all(1), tail), f32x4.lt(x, all(0)));
  return f32x4.mul(f32x4.pmax(x, all(-20)), v128.bitselect(f32x4.add(all(0.5), centre), far, f32x4.lt(scaled, all(1))));
}
