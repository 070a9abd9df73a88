import { mantissa } from "./log.ts";
import { exponentOf, powerOfTwo } from "./scale.ts";

/** An angle modulo π/2: the quarter turn it lies nearest to (0 to 3), and the rest as high + low, |rest| ≤ π/4. */
interface ReducedAngle {
  readonly quarter: number;
  readonly high: number;
  readonly low: number;
}

/** The sine of x (radians), within 1 ulp for every finite x. */
export function sin(x: number): number {
  if (!Number.isFinite(x)) return NaN;
  if (Math.abs(x) < 2 ** -27) return x;
  const { quarter, high, low } = reduce(x);
  const value = quarter % 2 === 0 ? sinReduced(high, low) : cosReduced(high, low);
  return quarter < 2 ? value : -value;
}

/** The cosine of x (radians), within 1 ulp for every finite x. */
export function cos(x: number): number {
  if (!Number.isFinite(x)) return NaN;
  const { quarter, high, low } = reduce(x);
  const value = quarter % 2 === 0 ? cosReduced(high, low) : sinReduced(high, low);
  return quarter === 1 || quarter === 2 ? -value : value;
}

// π/2 in four parts: three of at most 33 bits, so that their products with a quarter count below 2¹⁷ are exact, and what
// remains (Cody and Waite's reduction, 1980).
const HALF_PI_1 = 1.5707963267341256;
const HALF_PI_2 = 6.077100506303966e-11;
const HALF_PI_3 = 2.0222662487111665e-21;
const HALF_PI_4 = 8.4784276603689e-32;

function reduce(x: number): ReducedAngle {
  if (Math.abs(x) > 1e5) return reduceExactly(x);
  const turns = Math.round(x / (Math.PI / 2));
  // Exact subtractions first, then what each rounding loses is carried along.
  const a = x - turns * HALF_PI_1;
  const second = turns * HALF_PI_2;
  const b = a - second;
  const lostB = difference(a, second, b);
  const third = turns * HALF_PI_3;
  const c = b - third;
  const lostC = difference(b, third, c);
  const tail = lostB + lostC - turns * HALF_PI_4;
  const high = c + tail;
  return { quarter: ((turns % 4) + 4) % 4, high, low: c - high + tail };
}

/** What rounding a − b to `rounded` lost, exactly (Knuth's TwoSum). */
function difference(a: number, b: number, rounded: number): number {
  const bSeen = a - rounded;
  return a - (rounded + bSeen) + (bSeen - b);
}

/** Bits after the point of π: float64's exponent range, 53 of the result, and 120 to spare for cancellation. */
const PI_BITS = 1200;
let halfPi: bigint | undefined;

/**
 * x modulo π/2 for large x, in integers: what Payne and Hanek's reduction (1983) does in floating point. x is a 53-bit
 * integer times a power of two, so nothing is lost but the bits of π after the {@link PI_BITS}th.
 */
function reduceExactly(x: number): ReducedAngle {
  halfPi ??= machinPi(PI_BITS) / 2n;
  const exponent = exponentOf(x) - 52;
  const angle = BigInt(mantissa(Math.abs(x), exponent)) << BigInt(PI_BITS + exponent);
  let turns = angle / halfPi;
  let rest = angle % halfPi;
  if (2n * rest > halfPi) {
    rest -= halfPi;
    turns += 1n;
  }
  // 1000 bits after the point, so that the integer fits the range of float64.
  rest >>= BigInt(PI_BITS - 1000);
  const leading = Number(rest);
  const high = leading * powerOfTwo(-1000);
  const low = Number(rest - BigInt(leading)) * powerOfTwo(-1000);
  const quarter = Number(turns % 4n);
  return x > 0 ? { quarter, high, low } : { quarter: (4 - quarter) % 4, high: -high, low: -low };
}

/** π·2ᵇⁱᵗˢ by Machin's formula π = 16 arctan(1/5) − 4 arctan(1/239) (1706). */
function machinPi(bits: number): bigint {
  const guard = 32n;
  const one = 1n << (BigInt(bits) + guard);
  return (16n * arctanOfInverse(5n, one) - 4n * arctanOfInverse(239n, one)) >> guard;
}

/** arctan(1/n) = 1/n − 1/(3n³) + 1/(5n⁵) − …, in units of 1/one. */
function arctanOfInverse(n: bigint, one: bigint): bigint {
  let sum = 0n;
  for (let power = one / n, odd = 1n; power !== 0n; power /= -n * n, odd += 2n) sum += power / odd;
  return sum;
}

/** −1/3!, 1/5!, −1/7!, … : Taylor's coefficients of sin x = x + x³(c₀ + c₁x² + …); of cos x = 1 − x²/2 + x⁴(…). */
const sinCoefficients = [3, 5, 7, 9, 11, 13, 15, 17].map(alternatingInverseFactorial);
const cosCoefficients = [4, 6, 8, 10, 12, 14, 16, 18].map(alternatingInverseFactorial);

function alternatingInverseFactorial(n: number): number {
  let factorial = 1;
  for (let i = 2; i <= n; i++) factorial *= i;
  return (n % 4 < 2 ? 1 : -1) / factorial;
}

/** sin(x + low) for |x| ≤ π/4: the sine of x plus low·cos x. */
function sinReduced(x: number, low: number): number {
  const z = x * x;
  return x + (x * z * series(sinCoefficients, z) + low * (1 - 0.5 * z));
}

/** cos(x + low) for |x| ≤ π/4: the cosine of x minus low·sin x. */
function cosReduced(x: number, low: number): number {
  const z = x * x;
  const half = 0.5 * z;
  const leading = 1 - half;
  return leading + (1 - leading - half + (z * z * series(cosCoefficients, z) - x * low));
}

function series(coefficients: readonly number[], z: number): number {
  let sum = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * z + coefficients[i]!;
  return sum;
}
