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

/** 1/2!, 1/3!, … 1/14!: enough, as |r| ≤ ln(2)/2 and r¹⁴/14! < 2⁻⁵⁴·r/8. */
const inverseFactorials = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14].map((n) => {
  let factorial = 1;
  for (let i = 2; i <= n; i++) factorial *= i;
  return 1 / factorial;
});

/** eʳ − 1 for r = high − low, |r| ≤ ln(2)/2, by Taylor's series r + r²(1/2! + r/3! + …). */
function expm1Reduced(high: number, low: number): number {
  const r = high - low;
  const lost = high - r - low;
  let series = 0;
  for (let i = inverseFactorials.length - 1; i >= 0; i--) series = series * r + inverseFactorials[i]!;
  return r + (r * r * series + lost * (1 + r));
}
