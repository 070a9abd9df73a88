import { exp, expm1 } from "./exp.ts";

/** The hyperbolic tangent of x, within 2 ulp. */
export function tanh(x: number): number {
  const size = Math.abs(x);
  if (size > 22) return Math.sign(x);
  if (size >= 1) return Math.sign(x) * (1 - 2 / (expm1(2 * size) + 2));
  const e = expm1(-2 * size);
  return x < 0 || Object.is(x, -0) ? e / (e + 2) : -e / (e + 2);
}

/** 1/(1 + e⁻ˣ), within 2 ulp. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + exp(-x));
  const e = exp(x);
  return e / (1 + e);
}
