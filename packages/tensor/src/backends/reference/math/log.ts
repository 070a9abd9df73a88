import { exponentOf, powerOfTwo } from "./scale.ts";

// As in exp.ts: ln 2 in two parts (Cody and Waite, 1980).
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** The natural logarithm of x, within 1 ulp; −∞ for 0 and NaN for negative numbers. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return Infinity;
  const k = exponentNearest(x);
  return logReduced(k, mantissa(x, k) - 1, 0);
}

/** log(1 + x), within 2 ulp, also where 1 + x is almost 1. */
export function log1p(x: number): number {
  if (!(x > -1)) return x === -1 ? -Infinity : NaN;
  if (x === Infinity || Math.abs(x) < 2 ** -54) return x;
  const u = 1 + x;
  const k = exponentNearest(u);
  if (k === 0) return logReduced(0, x, 0);
  // What rounding 1 + x to u lost, relative to u.
  const lost = (k > 0 ? 1 - (u - x) : x - (u - 1)) / u;
  return logReduced(k, mantissa(u, k) - 1, lost);
}

/** The exponent k for which m = x·2⁻ᵏ lies in [√½, √2). */
export function exponentNearest(x: number): number {
  const k = exponentOf(x);
  return mantissa(x, k) < Math.SQRT2 ? k : k + 1;
}

/** x·2⁻ᵏ, exact; in two steps, as 2⁻ᵏ itself may overflow. */
export function mantissa(x: number, k: number): number {
  const half = Math.trunc(k / 2);
  return x * powerOfTwo(-half) * powerOfTwo(half - k);
}

/** 2/3, 2/5, … 2/25: enough, as s² < 0.0295. */
const twoOverOdd = [3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25].map((n) => 2 / n);

/**
 * k·ln 2 + log(1 + f) + lost for √½ ≤ 1 + f < √2. With s = f/(2 + f), log(1 + f) = log((1 + s)/(1 − s)) =
 * 2s + s·R(s²), R(z) = 2z/3 + 2z²/5 + …; and 2s = f − f²/2 + s·f²/2, which leaves the exact f to be added last
 * (fdlibm's arrangement, Sun Microsystems 1993).
 */
function logReduced(k: number, f: number, lost: number): number {
  const s = f / (2 + f);
  const z = s * s;
  let series = 0;
  for (let i = twoOverOdd.length - 1; i >= 0; i--) series = series * z + twoOverOdd[i]!;
  const halfSquare = 0.5 * f * f;
  return k * LN2_HIGH - (halfSquare - (s * (halfSquare + series * z) + (k * LN2_LOW + lost)) - f);
}
