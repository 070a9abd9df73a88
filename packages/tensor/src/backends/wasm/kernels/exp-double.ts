// eˣ in float64, two at a time: step by step what reference/math/exp.ts does, so that every engine gets the same bits.

// 1/14!, 1/13!, … 1/2!
const INVERSE_FACTORIALS: usize = memory.data<f64>([
  1.1470745597729725e-11, 1.6059043836821613e-10, 2.08767569878681e-9, 2.505210838544172e-8, 2.755731922398589e-7,
  0.0000027557319223985893, 0.0000248015873015873, 0.0001984126984126984, 0.001388888888888889, 0.008333333333333333,
  0.041666666666666664, 0.16666666666666666, 0.5,
]);
const LN2: usize = memory.data<f64>([0.6931471805599453]);
const LN2_HIGH: usize = memory.data<f64>([0.6931471803691238]);
const LN2_LOW: usize = memory.data<f64>([1.9082149292705877e-10]);
const ONE: usize = memory.data<f64>([1]);
const HALF: usize = memory.data<f64>([0.5]);
/** Adding 1.5 · 2⁵² to an integer leaves it in the low bits; the bias of exponents is added at the same time. */
const ROUNDER: usize = memory.data<f64>([6755399441056767]); // 1.5 · 2⁵² + 1023

/** Down to here no step comes near the ends of float64. */
export const LEAST_PLAIN: f64 = -700;
/** Below, eˣ is 0. */
const LEAST: f64 = -746;

// @ts-expect-error: decorator
@inline
function constant(address: usize): v128 {
  return v128.load64_splat(address);
}

/** The integer k nearest to x / ln 2, halves up as in Math.round. */
// @ts-expect-error: decorator
@inline
function exponentOf(x: v128): v128 {
  const quotient = f64x2.div(x, constant(LN2));
  const nearest = f64x2.nearest(quotient);
  const isHalf = f64x2.eq(f64x2.sub(quotient, nearest), constant(HALF));
  return f64x2.add(nearest, v128.and(isHalf, constant(ONE)));
}

/** eˣ / 2ᵏ. */
// @ts-expect-error: decorator
@inline
function mantissaOf(x: v128, k: v128): v128 {
  const high = f64x2.sub(x, f64x2.mul(k, constant(LN2_HIGH)));
  const low = f64x2.mul(k, constant(LN2_LOW));
  const r = f64x2.sub(high, low);
  const lost = f64x2.sub(f64x2.sub(high, r), low);
  let series = constant(INVERSE_FACTORIALS);
  for (let i: usize = 8; i <= 96; i += 8) series = f64x2.add(f64x2.mul(series, r), constant(INVERSE_FACTORIALS + i));
  const rest = f64x2.add(f64x2.mul(f64x2.mul(r, r), series), f64x2.mul(lost, f64x2.add(constant(ONE), r)));
  return f64x2.add(constant(ONE), f64x2.add(r, rest));
}

/** eˣ for −700 < x < 700. */
// @ts-expect-error: decorator
@inline
export function expOfPlain(x: v128): v128 {
  const k = exponentOf(x);
  return f64x2.mul(mantissaOf(x, k), i64x2.shl(f64x2.add(k, constant(ROUNDER)), 52));
}

/** eˣ for x < 700; NaN stays NaN. */
export function expOf(x: f64): f64 {
  if (!(x >= LEAST)) return x < LEAST ? 0 : x;
  const both = f64x2.splat(x);
  const exponent = exponentOf(both);
  const mantissa = f64x2.extract_lane(mantissaOf(both, exponent), 0);
  // In two steps: k may lie past the exponents of normal numbers. Only the second rounds then.
  const k = <i32>f64x2.extract_lane(exponent, 0);
  return mantissa * powerOfTwo(k >> 1) * powerOfTwo(k - (k >> 1));
}

// @ts-expect-error: decorator
@inline
function powerOfTwo(k: i32): f64 {
  return reinterpret<f64>(<i64>(k + 1023) << 52);
}
