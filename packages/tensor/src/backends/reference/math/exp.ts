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

/** Whether eˣ and its steps are far from the ends of float64. NaN is not. */
function isPlain(x: number): boolean {
  return x < 700 && x > -700;
}

/** eˣ of every element, in place, with the bits of {@link exp}. Four at a time: the steps of one wait for each other. */
export function expInPlace(values: Float64Array): void {
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    const x0 = values[i]!;
    const x1 = values[i + 1]!;
    const x2 = values[i + 2]!;
    const x3 = values[i + 3]!;
    if (!(isPlain(x0) && isPlain(x1) && isPlain(x2) && isPlain(x3))) {
      for (let j = i; j < i + 4; j++) values[j] = exp(values[j]!);
      continue;
    }
    const k0 = Math.round(x0 / Math.LN2);
    const k1 = Math.round(x1 / Math.LN2);
    const k2 = Math.round(x2 / Math.LN2);
    const k3 = Math.round(x3 / Math.LN2);
    const high0 = x0 - k0 * LN2_HIGH;
    const high1 = x1 - k1 * LN2_HIGH;
    const high2 = x2 - k2 * LN2_HIGH;
    const high3 = x3 - k3 * LN2_HIGH;
    const r0 = high0 - k0 * LN2_LOW;
    const r1 = high1 - k1 * LN2_LOW;
    const r2 = high2 - k2 * LN2_LOW;
    const r3 = high3 - k3 * LN2_LOW;
    let series0 = 0;
    let series1 = 0;
    let series2 = 0;
    let series3 = 0;
    for (let n = inverseFactorials.length - 1; n >= 0; n--) {
      const factor = inverseFactorials[n]!;
      series0 = series0 * r0 + factor;
      series1 = series1 * r1 + factor;
      series2 = series2 * r2 + factor;
      series3 = series3 * r3 + factor;
    }
    values[i] = (1 + sumOfSeries(r0, high0 - r0 - k0 * LN2_LOW, series0)) * powerOfTwo(k0);
    values[i + 1] = (1 + sumOfSeries(r1, high1 - r1 - k1 * LN2_LOW, series1)) * powerOfTwo(k1);
    values[i + 2] = (1 + sumOfSeries(r2, high2 - r2 - k2 * LN2_LOW, series2)) * powerOfTwo(k2);
    values[i + 3] = (1 + sumOfSeries(r3, high3 - r3 - k3 * LN2_LOW, series3)) * powerOfTwo(k3);
  }
  for (let i = whole; i < values.length; i++) values[i] = exp(values[i]!);
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
const inverseFactorials = [C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13, C14];

/** eʳ − 1 for r = high − low, |r| ≤ ln(2)/2, by Taylor's series r + r²(1/2! + r/3! + …). */
function expm1Reduced(high: number, low: number): number {
  const r = high - low;
  const lost = high - r - low;
  let series = ((((C14 * r + C13) * r + C12) * r + C11) * r + C10) * r + C9;
  series = ((((series * r + C8) * r + C7) * r + C6) * r + C5) * r + C4;
  series = (series * r + C3) * r + C2;
  return sumOfSeries(r, lost, series);
}

function sumOfSeries(r: number, lost: number, series: number): number {
  return r + (r * r * series + lost * (1 + r));
}
