import { exp } from "./exp.ts";
import { exponentNearest, mantissa } from "./log.ts";

/** A number as the unevaluated sum of two float64, after T. J. Dekker, "A floating-point technique…" (1971). */
interface Double {
  readonly high: number;
  readonly low: number;
}

/**
 * xʸ, within 2 ulp, as C's pow has it: 1 for y = 0 and for x = 1 whatever the other is, and for x = −1, y = ±∞ (where
 * JavaScript's own gives NaN); NaN for a negative x and a fractional y.
 */
export function pow(x: number, y: number): number {
  if (y === 0 || x === 1) return 1;
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN;
  const size = Math.abs(x);
  const negative = (x < 0 || Object.is(x, -0)) && isOdd(y);
  if (x < 0 && x !== -Infinity && Number.isFinite(y) && !Number.isInteger(y)) return NaN;
  const result = powPositive(size, y);
  return negative ? -result : result;
}

function isOdd(y: number): boolean {
  return Math.abs(y % 2) === 1;
}

function powPositive(x: number, y: number): number {
  if (x === 1) return 1;
  if (x === 0 || x === Infinity || !Number.isFinite(y)) return x > 1 === y > 0 ? Infinity : 0;
  if (y === 1) return x;
  const { high, low } = logDouble(x);
  const estimate = y * high;
  // Beyond float64's range, or 1 to the last bit; this also keeps the exact products below from overflowing.
  if (Math.abs(estimate) > 800 || Math.abs(estimate) < 2 ** -60) return exp(estimate);
  const power = product(y, high);
  const tail = power.low + y * low;
  const result = exp(power.high);
  // e^(high + tail) = e^high·(1 + tail), tail being less than an ulp of high.
  return Number.isFinite(result) ? result + result * tail : result;
}

/** log x to about 2⁻⁶⁷: k·ln 2 + 2(s + s³/3 + s⁵/5 + …) with s = (m − 1)/(m + 1), the first two terms in double length. */
function logDouble(x: number): Double {
  const k = exponentNearest(x);
  const m = mantissa(x, k);
  const s = quotient(m - 1, sum(1, m));
  const square = multiply(s, s);
  const cubeThird = multiply(multiply(s, square), third);
  const z = square.high;
  let series = 0;
  for (let odd = 27; odd >= 5; odd -= 2) series = series * z + 1 / odd;
  const rest = s.high * z * z * series;
  const half = add(s, add(cubeThird, { high: rest, low: 0 }));
  const exponentPart = add({ high: k * LN2_HIGH, low: 0 }, product(k, LN2_LOW));
  return add(exponentPart, { high: 2 * half.high, low: 2 * half.low });
}

// ln 2 = LN2_HIGH + LN2_LOW to 2⁻⁸⁷; k·LN2_HIGH is exact (see exp.ts).
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const third: Double = { high: 1 / 3, low: 1.850371707708594e-17 };

/** a + b exactly (Knuth's TwoSum). */
function sum(a: number, b: number): Double {
  const high = a + b;
  const bSeen = high - a;
  return { high, low: a - (high - bSeen) + (b - bSeen) };
}

/** a·b exactly, for factors whose product neither overflows nor underflows (Veltkamp's splitting). */
function product(a: number, b: number): Double {
  const high = a * b;
  const [a1, a2] = split(a);
  const [b1, b2] = split(b);
  return { high, low: a1 * b1 - high + a1 * b2 + a2 * b1 + a2 * b2 };
}

function split(a: number): [number, number] {
  const shifted = a * (2 ** 27 + 1);
  const high = shifted - (shifted - a);
  return [high, a - high];
}

function add(a: Double, b: Double): Double {
  const { high, low } = sum(a.high, b.high);
  return sum(high, low + a.low + b.low);
}

function multiply(a: Double, b: Double): Double {
  const { high, low } = product(a.high, b.high);
  return sum(high, low + (a.high * b.low + a.low * b.high));
}

function quotient(a: number, b: Double): Double {
  const high = a / b.high;
  const back = product(high, b.high);
  return sum(high, (a - back.high - back.low - high * b.low) / b.high);
}
