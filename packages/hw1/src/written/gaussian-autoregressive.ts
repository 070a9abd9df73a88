import { Generator } from "@gpt2-ts/tensor";
import * as scalarMath from "@gpt2-ts/tensor/math";
import { gaussianGap, gaussianLogDensity, lowerBoundOfGap, modes, normalCdf } from "./bimodal.ts";
import { maximum } from "./distributions.ts";
import { above, atLeast, type CheckResult, formatNumber, near, same, type WrittenProblem } from "./problem.ts";

/**
 * A counterexample with n = 2. Forward, with ε > 0 a variance:
 *
 *     x_1 ~ N(0, 1)        x_2 | x_1 ~ N(μ_2(x_1), ε)        μ_2(x_1) = 0 if x_1 ≤ 0, 1 if x_1 > 0
 *
 * x_1 is positive half of the time, so integrating it out leaves exactly
 *
 *     p_f(x_2) = 1/2 N(x_2|0, ε) + 1/2 N(x_2|1, ε)
 *
 * A reverse model starts with x_2, and μ̂_2 and σ̂_2 take no input: its p_r(x_2) is one Gaussian. p_f(x_2) is none, for any
 * ε: its fourth cumulant is that of a fair coin, -1/8, and a Gaussian's is 0. For small ε it can be seen. With
 * x_2 = 1/2 + u the density is stationary where
 *
 *     u/ε = log((1 + 2u) / (1 - 2u)) = 2 artanh(2u) = 4u + 16u³/3 + …
 *
 * u = 0 always is; since artanh(2u)/u grows with |u|, there are two more solutions, and then these are the maxima, if and only
 * if 1/ε > 4. So p_f(x_2) has two modes if and only if ε < 1/4.
 *
 * How far a reverse model stays away: by the chain rule KL(p_f ‖ p_r) ≥ KL(p_f(x_2) ‖ p_r(x_2)), and of all Gaussians the one
 * with p_f's own mean 1/2 and variance ε + 1/4 is nearest, because the expectation of a Gaussian's log-density depends on
 * mean and variance only. What remains is
 *
 *     KL = 1/2 log(1 + 1/4ε) - log 2 + E_t~N(0,1)[log(1 + e^(t/√ε - 1/2ε))]
 *
 * (the mixture's entropy is that of one component, plus log 2, minus the last term: what the overlap hides). The last term
 * is positive, so the gap grows without bound as ε → 0. It is above 0 for every ε: cos t(x - 1/2), between -1 and 1, has
 * different expectations under the mixture p and the Gaussian q, and so, by Pinsker's inequality, for every t
 *
 *     KL ≥ 1/2 (E_p[cos t(x - 1/2)] - E_q[cos t(x - 1/2)])² = 1/2 e^(-εt²) (cos(t/2) - e^(-t²/8))²
 */
export const gaussianAutoregressive: WrittenProblem = {
  id: "4",
  title: "Forward and reverse Gaussian autoregressive models",
  claim:
    "They do not cover the same distributions. With x_1 ~ N(0, 1), x_2 | x_1 ~ N(μ_2(x_1), ε), μ_2 = 0 for x_1 ≤ 0 and 1 for " +
    "x_1 > 0, the marginal of x_2 is 1/2 N(0, ε) + 1/2 N(1, ε): two modes if and only if ε < 1/4, and Gaussian for no ε. " +
    "A reverse model's p(x_2) is one Gaussian.",
  differs:
    "The answer sheet never defines μ_2, and its set-up X_2 = X_1 + ε does not lead to its mixture. Taken at its word, " +
    "with Gaussian noise of variance ε added to X_1, it is no counterexample: then (X_1, X_2) is jointly Gaussian, and the " +
    "reverse model x_2 ~ N(0, 1 + ε), x_1 | x_2 ~ N(x_2/(1 + ε), ε/(1 + ε)) is the same distribution.",
  check(seed): CheckResult[] {
    const generator = new Generator(seed);
    const draws = 20_000;
    const points = Array.from({ length: 200 }, () => [3 * generator.normal(), 3 * generator.normal()] as const);
    const sheet = points.map(([x1, x2]) => Math.abs(sheetForward(x1, x2, 0.1) - sheetReverse(x1, x2, 0.1)));
    return [
      near(
        `largest difference of the distribution functions of x_2, mixture and ${formatNumber(draws)} forward samples, ε = 0.01`,
        0,
        distanceFromMixture(
          Array.from({ length: draws }, () => sampleForward(generator, 0.01)),
          0.01,
        ),
        confidenceBand(draws, 1e-9),
      ),
      ...[0.01, 0.24].map((ε) => same(`modes of p_f(x_2), ε = ${ε}`, 2, modes(ε).length)),
      ...[0.25, 0.26].map((ε) => same(`modes of p_f(x_2), ε = ${ε}`, 1, modes(ε).length)),
      ...[0.001, 0.01, 0.1, 1].map((ε) =>
        atLeast(
          `KL to the best single Gaussian, ε = ${ε} (expected: the lower bound)`,
          lowerBoundOfGap(ε),
          gaussianGap(ε),
        ),
      ),
      above("the lower bound itself, ε = 1", 0, lowerBoundOfGap(1)),
      near("the sheet's X_2 = X_1 + noise: largest |log p_f - log p_r| at 200 points", 0, maximum(sheet), 1e-10),
    ];
  },
};

/** μ_2: the only function of the counterexample. */
export function mean2(x1: number): number {
  return x1 > 0 ? 1 : 0;
}

/** x_2 of one sample from the forward model. */
export function sampleForward(generator: Generator, variance: number): number {
  const x1 = generator.normal();
  return mean2(x1) + Math.sqrt(variance) * generator.normal();
}

/** The largest difference between the samples' distribution function and that of the mixture (Kolmogorov, Smirnov). */
export function distanceFromMixture(samples: readonly number[], variance: number): number {
  const n = samples.length;
  const sorted = Float64Array.from(samples).sort();
  const distances = Array.from(sorted, (x, i) => {
    const expected = (normalCdf(x, 0, variance) + normalCdf(x, 1, variance)) / 2;
    return Math.max(Math.abs(expected - i / n), Math.abs(expected - (i + 1) / n));
  });
  return maximum(distances);
}

/** What that exceeds with no more than this probability (Dvoretzky, Kiefer, Wolfowitz, 1956; Massart, 1990). */
export function confidenceBand(samples: number, probability: number): number {
  return Math.sqrt(scalarMath.log(2 / probability) / (2 * samples));
}

/** log p(x_1, x_2) of the answer sheet's set-up: x_1 ~ N(0, 1), x_2 = x_1 + N(0, variance). */
export function sheetForward(x1: number, x2: number, variance: number): number {
  return gaussianLogDensity(x1, 0, 1) + gaussianLogDensity(x2, x1, variance);
}

/** The same distribution as a reverse model. */
export function sheetReverse(x1: number, x2: number, variance: number): number {
  const total = 1 + variance;
  return gaussianLogDensity(x2, 0, total) + gaussianLogDensity(x1, x2 / total, variance / total);
}
