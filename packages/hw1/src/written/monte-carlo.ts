import { Generator } from "@gpt2-ts/tensor";
import * as scalarMath from "@gpt2-ts/tensor/math";
import { logSumExp } from "../log-sum-exp.ts";
import { drawIndex, maximum, randomDistribution, square, sum, weighted } from "./distributions.ts";
import { type CheckResult, near, type WrittenProblem } from "./problem.ts";

/**
 * Each z^(i) has the distribution p(z), so each term has the expectation
 *
 *     E[p(x|z^(i))] = Σ_z p(z) p(x|z) = p(x)
 *
 * and by linearity, which does not even need the draws to be independent,
 *
 *     E[A] = 1/k Σ_i E[p(x|z^(i))] = 1/k · k · p(x) = p(x)
 *
 * More draws do not move the mean. They narrow the spread: for independent draws Var A = Var p(x|z) / k.
 */
export const monteCarlo: WrittenProblem = {
  id: "5.1",
  title: "The Monte Carlo estimate of a likelihood",
  claim: "A = 1/k Σ p(x|z^(i)) with z^(i) ~ p(z) is an unbiased estimator of p(x), for every k.",
  check(seed): CheckResult[] {
    const generator = new Generator(seed);
    const models = Array.from({ length: 50 }, () => randomLatentModel(generator.integer(1, 5), generator));
    const deviations = models.flatMap((model) =>
      [1, 2, 3, 7].map((k) => Math.abs(logExpectation(model, k) - logMarginal(model))),
    );
    const simulated = { prior: [0.1, 0.2, 0.3, 0.4], logLikelihoods: [0.8, 0.05, 0.3, 0.1].map(scalarMath.log) };
    const { mean, standardError } = simulate(simulated, 5, 20_000, generator);
    return [
      near("largest |log E[A] - log p(x)|, exact, 50 random models, k = 1, 2, 3, 7", 0, maximum(deviations), 1e-12),
      near("mean of A over 20,000 simulations with k = 5, p(x) = 0.22", 0.22, mean, 5 * standardError),
    ];
  },
};

/** A discrete latent variable, and how likely each of its values makes the x that was seen. */
export interface LatentModel {
  /** p(z). */
  readonly prior: readonly number[];
  /** log p(x|z). */
  readonly logLikelihoods: readonly number[];
}

/** log p(x) = log Σ p(z) p(x|z). */
export function logMarginal({ prior, logLikelihoods }: LatentModel): number {
  return logSumExp(prior.map((probability, z) => scalarMath.log(probability) + logLikelihoods[z]!));
}

/** What k draws of z can be: how often each value came up, log A, and the log-probability of that. */
export interface Outcome {
  readonly counts: readonly number[];
  readonly logEstimate: number;
  readonly logProbability: number;
}

/** Every outcome of `k` independent draws that can happen. Their order does not matter to A, so it is not told apart. */
export function* outcomes({ prior, logLikelihoods }: LatentModel, k: number): Iterable<Outcome> {
  const support = prior.flatMap((probability, z) => (probability > 0 ? [z] : []));
  const logFactorial = [0];
  for (let i = 1; i <= k; i++) logFactorial.push(logFactorial[i - 1]! + scalarMath.log(i));
  for (const counts of compositions(k, support.length)) {
    const arrangements = logFactorial[k]! - sum(counts.map((count) => logFactorial[count]!));
    const logPriors = counts.map((count, i) => weighted(count, scalarMath.log(prior[support[i]!]!)));
    const terms = counts.map((count, i) => scalarMath.log(count) + logLikelihoods[support[i]!]!);
    yield {
      counts,
      logEstimate: logSumExp(terms) - scalarMath.log(k),
      logProbability: arrangements + sum(logPriors),
    };
  }
}

/** log E[A], exactly: over all outcomes of k draws. */
export function logExpectation(model: LatentModel, k: number): number {
  return logSumExp(Array.from(outcomes(model, k), ({ logEstimate, logProbability }) => logEstimate + logProbability));
}

/** A model of `size` latent values whose likelihoods are within a few nats of one another. */
export function randomLatentModel(size: number, generator: Generator): LatentModel {
  const logLikelihoods = Array.from({ length: size }, () => 2 * generator.normal() - 20);
  return { prior: randomDistribution(size, generator), logLikelihoods };
}

/** All ways to write `total` as a sum of `parts` integers from 0. */
function* compositions(total: number, parts: number): Iterable<number[]> {
  if (parts === 1) {
    yield [total];
    return;
  }
  for (let first = 0; first <= total; first++) {
    for (const rest of compositions(total - first, parts - 1)) yield [first, ...rest];
  }
}

/** The mean of many independent estimates A of k draws each, and its standard error. */
function simulate(model: LatentModel, k: number, repetitions: number, generator: Generator) {
  const likelihoods = model.logLikelihoods.map(scalarMath.exp);
  const estimates = Array.from(
    { length: repetitions },
    () => sum(Array.from({ length: k }, () => likelihoods[drawIndex(model.prior, generator)]!)) / k,
  );
  const mean = sum(estimates) / repetitions;
  const variance = sum(estimates.map((estimate) => square(estimate - mean))) / (repetitions - 1);
  return { mean, standardError: Math.sqrt(variance / repetitions) };
}
