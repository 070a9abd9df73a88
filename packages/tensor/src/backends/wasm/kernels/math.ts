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

// Coefficients, from the highest power down, and other constants of the functions that are called most lie in memory: an
// engine builds the bits of a constant vector anew at every use, which costs more than a load.
const EXP: usize = memory.data<f32>([
  0.0013814433477818966, 0.008368796668946743, 0.041668396443128586, 0.1666651964187622, 0.4999999403953552,
]);
const EXPM1: usize = memory.data<f32>([
  0.00019845888891723007, 0.001394074410200119, 0.008333389647305012, 0.04166635870933533, 0.1666666567325592, 0.5,
]);
const LOG: usize = memory.data<f32>([
  0.06746646761894226, -0.11675654351711273, 0.11888160556554794, -0.1240558847784996, 0.14219552278518677,
  -0.1666799634695053, 0.2000211924314499, -0.25000008940696716, 0.3333331346511841,
]);
const TANH: usize = memory.data<f32>([
  -0.005704986397176981, 0.02063908614218235, -0.05373971536755562, 0.13331441581249237, -0.3333328068256378,
]);
const ERF: usize = memory.data<f32>([
  7.853860734030604e-5, -0.0008010193705558777, 0.005188327748328447, -0.026853810995817184, 0.1128358542919159,
  -0.3761262595653534, 0.12837916612625122,
]);
const SCALED_ERFC: usize = memory.data<f32>([
  -0.07081800699234009, 0.22261762619018555, -0.19713948667049408, -0.025034263730049133, 0.005778721999377012,
  0.07470925897359848, 0.17909927666187286, 0.24637284874916077, 0.2821350395679474, 0.2820933163166046,
]);
const LOG2_E: usize = memory.data<f32>([1.44269504088896341]);
// ln 2 in two parts; the first has nine bits, so that its product with an exponent is exact.
const LN2_HIGH: usize = memory.data<f32>([0.693359375]);
const LN2_LOW: usize = memory.data<f32>([-2.12194440054690583e-4]);
// Adding 1.5 · 2^23 rounds to the nearest integer, which then stands in the low bits.
const ROUNDER: usize = memory.data<f32>([12582912]);
const EXPONENT_BIAS: usize = memory.data<i32>([127]);
// Past these bounds e^x is zero or infinity anyway.
const EXP_LEAST: usize = memory.data<f32>([-104]);
const EXP_MOST: usize = memory.data<f32>([89]);
const ONE: usize = memory.data<f32>([1]);
// From here down GELU is -0 in float32.
const GELU_LEAST: usize = memory.data<f32>([-32]);
// -2√(2/π) and its product with 0.044715
const GELU_LINEAR: usize = memory.data<f32>([-1.5957691216057308]);
const GELU_CUBIC: usize = memory.data<f32>([-0.07135481627159999]);

// @ts-expect-error: decorator
@inline
function constant(address: usize): v128 {
  return v128.load32_splat(address);
}

/** The polynomial with these coefficients at x. */
// @ts-expect-error: decorator
@inline
function polynomial(coefficients: usize, degree: i32, x: v128): v128 {
  let p = madd(constant(coefficients), x, constant(coefficients + 4));
  p = madd(p, x, constant(coefficients + 8));
  p = madd(p, x, constant(coefficients + 12));
  p = madd(p, x, constant(coefficients + 16));
  if (degree > 4) p = madd(p, x, constant(coefficients + 20));
  if (degree > 5) p = madd(p, x, constant(coefficients + 24));
  if (degree > 6) p = madd(p, x, constant(coefficients + 28));
  if (degree > 7) p = madd(p, x, constant(coefficients + 32));
  if (degree > 8) p = madd(p, x, constant(coefficients + 36));
  return p;
}

/** 2^n for lanes of n in -126..127. */
// @ts-expect-error: decorator
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, constant(EXPONENT_BIAS)), 23);
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
  // pmin and pmax let NaN through.
  const bounded = f32x4.pmin(f32x4.pmax(x, constant(EXP_LEAST)), constant(EXP_MOST));
  const rounded = madd(bounded, constant(LOG2_E), constant(ROUNDER));
  const n = f32x4.sub(rounded, constant(ROUNDER));
  const r = f32x4.sub(f32x4.sub(bounded, f32x4.mul(n, constant(LN2_HIGH))), f32x4.mul(n, constant(LN2_LOW)));
  let p = polynomial(EXP, 4, r);
  p = f32x4.add(constant(ONE), madd(p, f32x4.mul(r, r), r));
  return scale(p, i32x4.sub(rounded, constant(ROUNDER)));
}

/** e^x - 1, accurate near zero. */
// @ts-expect-error: decorator
@inline
export function expm1(x: v128): v128 {
  const bounded = f32x4.pmin(f32x4.pmax(x, all(-18)), all(89));
  const rounded = madd(bounded, constant(LOG2_E), constant(ROUNDER));
  const n = f32x4.sub(rounded, constant(ROUNDER));
  const r = f32x4.sub(f32x4.sub(bounded, f32x4.mul(n, constant(LN2_HIGH))), f32x4.mul(n, constant(LN2_LOW)));
  let p = polynomial(EXPM1, 5, r);
  p = madd(p, f32x4.mul(r, r), r);
  const exponent = i32x4.sub(rounded, constant(ROUNDER));
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
  let p = polynomial(LOG, 8, f);
  const square = f32x4.mul(f, f);
  p = madd(f32x4.mul(f, square), p, f32x4.mul(n, constant(LN2_LOW)));
  p = f32x4.sub(p, f32x4.mul(all(0.5), square));
  let result = f32x4.add(f32x4.add(f, p), f32x4.mul(n, constant(LN2_HIGH)));
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
  let p = polynomial(TANH, 4, t);
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
  let p = polynomial(ERF, 6, t);
  return madd(a, p, a);
}

/** e^(a²) · erfc(a) for lanes of a of at least 1. */
// @ts-expect-error: decorator
@inline
function scaledErfc(a: v128): v128 {
  const t = f32x4.div(all(2), f32x4.add(all(2), a));
  let p = polynomial(SCALED_ERFC, 9, t);
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
  // pmax lets NaN through.
  const y = f32x4.pmax(x, constant(GELU_LEAST));
  const inner = madd(constant(GELU_CUBIC), f32x4.mul(y, y), constant(GELU_LINEAR));
  return f32x4.div(y, f32x4.add(constant(ONE), exp(f32x4.mul(y, inner))));
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

/** x · σ(x). */
// @ts-expect-error: decorator
@inline
export function silu(x: v128): v128 {
  // From -200 down the result is -0; pmax lets NaN through.
  const y = f32x4.pmax(x, all(-200));
  return f32x4.mul(y, sigmoid(y));
}

/** x · σ(1.702x). */
// @ts-expect-error: decorator
@inline
export function quickGelu(x: v128): v128 {
  const y = f32x4.pmax(x, all(-200));
  return f32x4.mul(y, sigmoid(f32x4.mul(y, all(1.702))));
}
