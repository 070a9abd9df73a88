import { powerOfTwo, scaled } from "./scale.ts";

// ln 2 in two parts, after Cody and Waite, "Software Manual for the Elementary Functions" (1980): the first has 21 zero
// bits at its end, so that its product with any exponent is exact.
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** eˣ, within 1 ulp. */
export function exp(x: number): number {
  if (!(x < 710)) return Number.isNaN(x) ? NaN : Infinity;
  if (x < -746) return 0;
  const k = Math.round(x / Math.LN2);
  return scaled(1 + expm1Reduced(x - k * LN2_HIGH, k * LN2_LOW), k);
}

/** eˣ − 1, within 2 ulp, also where eˣ is almost 1. */
export function expm1(x: number): number {
  if (!(x < 710)) return Number.isNaN(x) ? NaN : Infinity;
  if (x < -40) return -1;
  if (Math.abs(x) < 2 ** -54) return x;
  const k = Math.round(x / Math.LN2);
  const e = expm1Reduced(x - k * LN2_HIGH, k * LN2_LOW);
  if (k === 0) return e;
  // 2ᵏ(e + 1) − 1 = 2ᵏ((1 − 2⁻ᵏ) + e)
  return k > 60 ? scaled(1 + e, k) : powerOfTwo(k) * (1 - powerOfTwo(-k) + e);
}

// 1/2!, 1/3!, … 1/14!: enough, as |r| ≤ ln(2)/2 and r¹⁴/14! < 2⁻⁵⁴·r/8. Each is a constant of its own, and Horner's scheme one
// expression: a loop over an array takes twice as long.
const C2 = 1 / 2;
const C3 = 1 / 6;
const C4 = 1 / 24;
const C5 = 1 / 120;
const C6 = 1 / 720;
const C7 = 1 / 5040;
const C8 = 1 / 40320;
const C9 = 1 / 362880;
const C10 = 1 / 3628800;
const C11 = 1 / 39916800;
const C12 = 1 / 479001600;
const C13 = 1 / 6227020800;
const C14 = 1 / 87178291200;

/** eʳ − 1 for r = high − low, |r| ≤ ln(2)/2, by Taylor's series r + r²(1/2! + r/3! + …). */
function expm1Reduced(high: number, low: number): number {
  const r = high - low;
  const lost = high - r - low;
  let series = ((((C14 * r + C13) * r + C12) * r + C11) * r + C10) * r + C9;
  series = ((((series * r + C8) * r + C7) * r + C6) * r + C5) * r + C4;
  series = (series * r + C3) * r + C2;
  return r + (r * r * series + lost * (1 + r));
}
