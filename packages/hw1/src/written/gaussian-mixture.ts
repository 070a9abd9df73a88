import { Generator } from "@gpt2-ts/tensor";
import * as scalarMath from "@gpt2-ts/tensor/math";
import { logNormalize, maximum, randomDistribution, square, sum } from "./distributions.ts";
import { type CheckResult, near, same, type WrittenProblem } from "./problem.ts";

/**
 * By Bayes' rule p_θ(y|x) is π_y N(x|μ_y, σ²I), normalised over y. Its logarithm, with the square written out:
 *
 *     log π_y + log N(x|μ_y, σ²I) = log π_y - n/2 log(2πσ²) - (xᵀx - 2 xᵀμ_y + μ_yᵀμ_y) / 2σ²
 *                                 = xᵀ(μ_y/σ²) + (log π_y - μ_yᵀμ_y / 2σ²) + c(x)
 *
 * with c(x) = -n/2 log(2πσ²) - xᵀx / 2σ², the same for every y because all components share one σ. Normalising removes
 * c(x), and what remains is softmax regression with
 *
 *     w_y = μ_y / σ²        b_y = log π_y - μ_yᵀμ_y / 2σ²
 *
 * (adding one shared constant to every b_y changes nothing). Were the covariances different, xᵀx would not cancel and the
 * posterior would be quadratic in x.
 *
 * On computing it: for small σ or far x every density underflows, and Bayes' rule in densities gives 0/0. Their logarithms
 * do not underflow, but the huge xᵀx / 2σ² that they share rounds away what distinguishes them. What can be trusted is the
 * odds against one component, with the shared square cancelled before it is computed:
 *
 *     log p(y|x) / p(r|x) = log π_y / π_r + Σ_j (μ_yj - μ_rj) (x_j - (μ_yj + μ_rj) / 2) / σ²
 */
export const gaussianMixture: WrittenProblem = {
  id: "2",
  title: "A mixture of Gaussians classifies like softmax regression",
  claim:
    "For every θ = (π, μ, σ) the posterior p_θ(y|x) is that of softmax regression with w_y = μ_y/σ² and " +
    "b_y = log π_y - μ_yᵀμ_y/(2σ²), up to one constant shared by all b_y.",
  check(seed): CheckResult[] {
    const generator = new Generator(seed);
    const ordinary = Array.from({ length: 200 }, () => difference(...randomCase(generator)));
    const narrow: Mixture = { priors: [0.5, 0.5], means: [[1], [0]], sigma: 2 ** -20 };
    const nearMiddle = [0.5 + 2 ** -41];
    const opposite = [
      [1, 0],
      [-1, 0],
    ];
    const wide: Mixture = { priors: [0.5, 0.5], means: opposite, sigma: 1 };
    const farAway = [0.3, 1e9];
    const byBayes = (mixture: Mixture, x: readonly number[]): number => logOdds(mixturePosterior(mixture, x));
    const byRegression = (mixture: Mixture, x: readonly number[]): number =>
      logOdds(regressionPosterior(softmaxRegression(mixture), x));
    return [
      near("largest difference of the log-posteriors, 200 random θ and x", 0, maximum(ordinary), 1e-10),
      near(
        "log-odds of μ = 1 against 0, σ = 2^-20, x = 1/2 + 2^-41, by Bayes",
        0.5,
        byBayes(narrow, nearMiddle),
        1e-15,
      ),
      near("by softmax regression, whose b = -2^39 is itself rounded", 0.5, byRegression(narrow, nearMiddle), 2 ** -14),
      near(
        "log-odds of μ = (1, 0) against (-1, 0), σ = 1, x = (0.3, 10^9), by Bayes",
        0.6,
        byBayes(wide, farAway),
        1e-15,
      ),
      near("by softmax regression", 0.6, byRegression(wide, farAway), 1e-15),
      same("by Bayes in densities, which all underflow", "NaN", String(posteriorFromDensities(wide, farAway)[0])),
    ];
  },
};

/** θ: k priors π, k means μ of n numbers each, and the standard deviation σ that all share. */
export interface Mixture {
  readonly priors: readonly number[];
  readonly means: readonly (readonly number[])[];
  readonly sigma: number;
}

/** γ: k weight vectors w of n numbers each, and k biases b. */
export interface SoftmaxRegression {
  readonly weights: readonly (readonly number[])[];
  readonly biases: readonly number[];
}

/** The γ that belongs to θ. */
export function softmaxRegression({ priors, means, sigma }: Mixture): SoftmaxRegression {
  const variance = sigma * sigma;
  return {
    weights: means.map((mean) => mean.map((each) => each / variance)),
    biases: means.map((mean, y) => scalarMath.log(priors[y]!) - dot(mean, mean) / (2 * variance)),
  };
}

/** log p_γ(y|x) for every y. */
export function regressionPosterior({ weights, biases }: SoftmaxRegression, x: readonly number[]): number[] {
  return logNormalize(weights.map((weight, y) => dot(x, weight) + biases[y]!));
}

/** log p_θ(y|x) for every y, by Bayes' rule: from the odds against component 0. */
export function mixturePosterior({ priors, means, sigma }: Mixture, x: readonly number[]): number[] {
  const variance = sigma * sigma;
  const [first] = means;
  return logNormalize(
    means.map((mean, y) => {
      const terms = mean.map((each, j) => ((each - first![j]!) * (x[j]! - (each + first![j]!) / 2)) / variance);
      return scalarMath.log(priors[y]! / priors[0]!) + sum(terms);
    }),
  );
}

/** p_θ(y|x) for every y, by Bayes' rule as it is written: what not to compute. */
export function posteriorFromDensities({ priors, means, sigma }: Mixture, x: readonly number[]): number[] {
  const joint = means.map((mean, y) => {
    const squares = mean.map((each, j) => square(x[j]! - each));
    const normalizer = scalarMath.pow(2 * Math.PI * sigma * sigma, x.length / 2);
    return (priors[y]! * scalarMath.exp(-sum(squares) / (2 * sigma * sigma))) / normalizer;
  });
  return joint.map((each) => each / sum(joint));
}

/** The largest difference of the two log-posteriors. */
function difference(mixture: Mixture, x: readonly number[]): number {
  const regression = regressionPosterior(softmaxRegression(mixture), x);
  return maximum(mixturePosterior(mixture, x).map((each, y) => Math.abs(each - regression[y]!)));
}

/** Up to 6 components in up to 5 dimensions, and a point. */
function randomCase(generator: Generator): [Mixture, number[]] {
  const components = generator.integer(2, 7);
  const dimensions = generator.integer(1, 6);
  const point = (): number[] => Array.from({ length: dimensions }, () => 2 * generator.normal());
  const means = Array.from({ length: components }, point);
  const sigma = scalarMath.exp(3 * generator.uniform() - 1.5);
  return [{ priors: randomDistribution(components, generator), means, sigma }, point()];
}

function logOdds(logPosterior: readonly number[]): number {
  return logPosterior[0]! - logPosterior[1]!;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return sum(a.map((each, i) => each * b[i]!));
}
