import * as scalarMath from "@gpt2-ts/tensor/math";
import { logSumExp } from "../log-sum-exp.ts";
import { square, sum } from "./distributions.ts";
import { range } from "./tables.ts";

// The mixture 1/2 N(0, ε) + 1/2 N(1, ε) of problem 4: its density, its modes, and its distance from a Gaussian.

/** log N(x|mean, variance). */
export function gaussianLogDensity(x: number, mean: number, variance: number): number {
  return -(scalarMath.log(2 * Math.PI * variance) + square(x - mean) / variance) / 2;
}

/** The distribution function of N(mean, variance). */
export function normalCdf(x: number, mean: number, variance: number): number {
  return scalarMath.erfc((mean - x) / Math.sqrt(2 * variance)) / 2;
}

/** The mixture's log-density. */
export function bimodalLogDensity(x: number, variance: number): number {
  return logSumExp([0, 1].map((mean) => gaussianLogDensity(x, mean, variance))) - Math.LN2;
}

/**
 * Where the mixture's density is largest: at 1/2, or at 1/2 - u and 1/2 + u with u the positive solution of
 * u / variance = 2 artanh(2u), by bisection.
 */
export function modes(variance: number): number[] {
  if (variance >= 1 / 4) return [1 / 2];
  /** Positive where the density still rises away from 1/2. */
  const rise = (u: number): number => u / variance - (scalarMath.log1p(2 * u) - scalarMath.log1p(-2 * u));
  let [low, high] = [0, 1 / 2];
  for (let middle = (low + high) / 2; middle > low && middle < high; middle = (low + high) / 2) {
    if (rise(middle) > 0) low = middle;
    else high = middle;
  }
  return [1 / 2 - low, 1 / 2 + low];
}

/** KL from the mixture to the Gaussian with its mean and variance, the nearest there is. */
export function gaussianGap(variance: number): number {
  return scalarMath.log1p(1 / (4 * variance)) / 2 - Math.LN2 + overlap(variance);
}

/**
 * E_t~N(0,1)[log(1 + e^(t/√ε - 1/2ε))] by the trapezoidal rule, whose error for a smooth function that vanishes at both ends
 * falls exponentially with the number of points.
 */
function overlap(variance: number): number {
  const [reach, perUnit] = [13, 64]; // e^(-13²/2) is below 10^-36
  const deviation = Math.sqrt(variance);
  const terms = range(-reach * perUnit, reach * perUnit + 1).map((i) => {
    const t = i / perUnit;
    return scalarMath.exp(gaussianLogDensity(t, 0, 1)) * logSumExp([0, t / deviation - 1 / (2 * variance)]);
  });
  return sum(terms) / perUnit;
}

/** What that KL cannot be below: the larger of the two bounds derived in problem 4. */
export function lowerBoundOfGap(variance: number): number {
  const separated = scalarMath.log1p(1 / (4 * variance)) / 2 - Math.LN2; // without the overlap
  const told = range(1, 100).map((i) => {
    const t = i / 10;
    const difference = scalarMath.cos(t / 2) - scalarMath.exp((-t * t) / 8);
    return (scalarMath.exp(-variance * t * t) * square(difference)) / 2;
  });
  return Math.max(separated, ...told);
}
