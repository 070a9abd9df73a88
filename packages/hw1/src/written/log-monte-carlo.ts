import { Generator } from "@gpt2-ts/tensor";
import * as scalarMath from "@gpt2-ts/tensor/math";
import { maximum, square, sum, weighted } from "./distributions.ts";
import { type LatentModel, logMarginal, outcomes, randomLatentModel } from "./monte-carlo.ts";
import { below, type CheckResult, near, type WrittenProblem } from "./problem.ts";

/**
 * The logarithm is concave, and Jensen's inequality for a concave f is f(E[A]) ≥ E[f(A)]. With E[A] = p(x) from 5.1:
 *
 *     E[log A] ≤ log E[A] = log p(x)
 *
 * The logarithm is strictly concave, so equality needs A to be constant, that is, p(x|z) the same for every z with
 * p(z) > 0. In every other case log A is biased, and downwards: on average it understates the log-likelihood. (If
 * p(x|z) = 0 for some such z, E[log A] is even -∞.)
 *
 * How much, for many draws: put A = p(x) (1 + δ). Then E[δ] = 0, E[δ²] = Var p(x|z) / (k p(x)²), and
 * log(1 + δ) = δ - δ²/2 + …, so
 *
 *     E[log A] - log p(x) ≈ -Var p(x|z) / (2 k p(x)²)
 *
 * which falls as 1/k. The bound never gets looser with more draws (Burda, Grosse, Salakhutdinov, "Importance weighted
 * autoencoders", 2016): the average of k + 1 draws is the mean of the k + 1 averages that leave one out, to which Jensen's
 * inequality applies again.
 */
export const logMonteCarlo: WrittenProblem = {
  id: "5.2",
  title: "The logarithm of the estimate",
  claim:
    "log A is biased: E[log A] ≤ log p(x), with equality only if p(x|z) is the same for every z with p(z) > 0. " +
    "The bias is about -Var p(x|z) / (2 k p(x)²).",
  differs:
    "The answer sheet applies Jensen's inequality for convex functions to the logarithm, which is concave, and gets " +
    "log p(x) ≤ E[log A]. A fair coin z with p(x|z) = 0.2 or 0.8 refutes it with one draw: " +
    "E[log A] = (log 0.2 + log 0.8)/2 = log 0.4, less than log p(x) = log 0.5. " +
    "Nor does an inequality that may be an equality show a bias: for that it must be strict.",
  check(seed): CheckResult[] {
    const generator = new Generator(seed);
    const models = Array.from({ length: 50 }, () => randomLatentModel(generator.integer(2, 5), generator));
    const biases = models.flatMap((model) => [1, 2, 3, 7].map((k) => bias(model, k)));
    const constant: LatentModel = { prior: [0.3, 0.7, 0], logLikelihoods: [-5, -5, -1] };
    return [
      near("E[log A] of the coin, k = 1 (expected: log 0.4)", scalarMath.log(0.4), expectedLog(coin, 1), 1e-15),
      near("log p(x) of the coin (expected: log 0.5)", scalarMath.log(0.5), logMarginal(coin), 1e-15),
      below("largest E[log A] - log p(x), exact, 50 random models, k = 1, 2, 3, 7", 0, maximum(biases)),
      near("the same where p(x|z) is constant on the support, k = 7", 0, bias(constant, 7), 1e-14),
      near("limit of k · bias of the coin, -Var / 2p²", -0.18, limitOfBias(coin), 1e-15),
      ...[10, 100, 1000].map((k) => near(`k · bias of the coin, k = ${k}`, -0.18, k * bias(coin, k), 0.2 / k)),
    ];
  },
};

/** z is a fair coin, p(x|z) = 0.2 or 0.8. */
const coin: LatentModel = { prior: [0.5, 0.5], logLikelihoods: [0.2, 0.8].map(scalarMath.log) };

/** E[log A], exactly: over all outcomes of k draws. */
export function expectedLog(model: LatentModel, k: number): number {
  const terms = Array.from(outcomes(model, k), ({ logEstimate, logProbability }) =>
    weighted(scalarMath.exp(logProbability), logEstimate),
  );
  return sum(terms);
}

/** E[log A] - log p(x). */
export function bias(model: LatentModel, k: number): number {
  const truth = logMarginal(model);
  const terms = Array.from(outcomes(model, k), ({ logEstimate, logProbability }) =>
    weighted(scalarMath.exp(logProbability), logEstimate - truth),
  );
  return sum(terms);
}

/** -Var p(x|z) / (2 p(x)²), which k times the bias tends to. */
export function limitOfBias(model: LatentModel): number {
  const truth = logMarginal(model);
  const deviations = model.logLikelihoods.map((each) => scalarMath.expm1(each - truth)); // p(x|z) / p(x) - 1
  return -sum(deviations.map((deviation, z) => model.prior[z]! * square(deviation))) / 2;
}
