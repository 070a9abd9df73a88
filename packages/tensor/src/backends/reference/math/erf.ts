import { exp } from "./exp.ts";

// Rational approximations of W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of
// Computation 23 (1969), 631–637: coefficients from the highest power down.
const smallNumerator = [
  0.18577770618460315, 3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694,
];
const smallDenominator = [1, 23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171];
const middleNumerator = [
  2.1531153547440383e-8, 0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001, 881.952221241769,
  1712.0476126340707, 2051.0783778260716, 1230.3393547979972,
];
const middleDenominator = [
  1, 15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597,
  4362.619090143247, 3439.3676741437216, 1230.3393548037495,
];
const largeNumerator = [
  0.016315387137302097, 0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275,
  0.0006587491615298378,
];
const largeDenominator = [
  1, 2.568520192289822, 1.8729528499234604, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918,
];

const SMALL = 0.46875;

/** erf(x) = 2/√π ∫₀ˣ e^(−t²) dt, within 2 ulp. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size <= SMALL) return erfSmall(x);
  if (size > 6) return Math.sign(x);
  return Math.sign(x) * (0.5 - erfcPositive(size) + 0.5);
}

/** 1 − erf(x), accurate where erf(x) is almost 1: within 6 ulp down to the smallest normal number. */
export function erfc(x: number): number {
  if (Math.abs(x) <= SMALL) return 1 - erfSmall(x);
  return x < 0 ? 2 - erfcPositive(-x) : erfcPositive(x);
}

function erfSmall(x: number): number {
  const z = x * x;
  return (x * polynomial(smallNumerator, z)) / polynomial(smallDenominator, z);
}

/** erfc(x) for x > 0.46875. */
function erfcPositive(x: number): number {
  if (x > 27.3) return 0;
  if (x <= 4) return (expMinusSquare(x) * polynomial(middleNumerator, x)) / polynomial(middleDenominator, x);
  const z = 1 / (x * x);
  const correction = (z * polynomial(largeNumerator, z)) / polynomial(largeDenominator, z);
  return (expMinusSquare(x) * (INVERSE_SQRT_PI - correction)) / x;
}

const INVERSE_SQRT_PI = 0.5641895835477563;

/** e^(−x²), without the error of rounding x²: x² = t² + (x − t)(x + t) with t = x cut to 1/16ths. */
function expMinusSquare(x: number): number {
  const t = Math.floor(x * 16) / 16;
  return exp(-t * t) * exp(-(x - t) * (x + t));
}

function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let i = 0; i < coefficients.length; i++) sum = sum * x + coefficients[i]!;
  return sum;
}
