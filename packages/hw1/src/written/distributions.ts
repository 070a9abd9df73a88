import type { Generator } from "@gpt2-ts/tensor";
import * as scalarMath from "@gpt2-ts/tensor/math";
import { logSumExp } from "../log-sum-exp.ts";

// Everything in nats, and in the log domain: products of probabilities underflow, sums of their logarithms do not.

/** The log-probabilities that are `scores` up to one shared constant. */
export function logNormalize(scores: readonly number[]): number[] {
  const largest = maximum(scores);
  const below = scores.map((score) => score - largest); // first, or large scores would round the total
  const total = logSumExp(below);
  return below.map((score) => score - total);
}

/** `weight · logarithm`, with 0 · log 0 = 0: what cannot happen adds nothing to an expectation. */
export function weighted(weight: number, logarithm: number): number {
  return weight === 0 ? 0 : weight * logarithm;
}

/** KL(p ‖ q) of a distribution from another, given by its logarithms. */
export function divergence(p: readonly number[], logQ: readonly number[]): number {
  return sum(p.map((each, i) => weighted(each, scalarMath.log(each) - logQ[i]!)));
}

/** Half of Σ |p - q|: the most that two distributions can differ about the probability of an event. */
export function totalVariation(logP: readonly number[], logQ: readonly number[]): number {
  return sum(logP.map((each, i) => Math.abs(scalarMath.exp(each) - scalarMath.exp(logQ[i]!)))) / 2;
}

/** A distribution over `size` outcomes, uniform among all of them: independent exponentials, normalised. */
export function randomDistribution(size: number, generator: Generator): number[] {
  const draws = Array.from({ length: size }, () => -scalarMath.log(1 - generator.uniform()));
  const total = sum(draws);
  return draws.map((draw) => draw / total);
}

/** An index, drawn with these probabilities. */
export function drawIndex(probabilities: readonly number[], generator: Generator): number {
  let rest = generator.uniform();
  for (const [i, probability] of probabilities.entries()) {
    rest -= probability;
    if (rest < 0) return i;
  }
  return probabilities.findLastIndex((probability) => probability > 0); // rounding left a rest
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function maximum(values: readonly number[]): number {
  return values.reduce((largest, value) => Math.max(largest, value), Number.NEGATIVE_INFINITY);
}

export function minimum(values: readonly number[]): number {
  return values.reduce((smallest, value) => Math.min(smallest, value), Number.POSITIVE_INFINITY);
}

/** x²; unlike `x ** 2` the same in every engine. */
export function square(x: number): number {
  return x * x;
}
