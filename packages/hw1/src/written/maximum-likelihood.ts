import { Generator } from "@gpt2-ts/tensor";
import * as scalarMath from "@gpt2-ts/tensor/math";
import { divergence, drawIndex, logNormalize, maximum, randomDistribution, sum, weighted } from "./distributions.ts";
import { type CheckResult, near, same, type WrittenProblem } from "./problem.ts";

/**
 * Write the empirical distribution as p̂(x, y) = p̂(x) p̂(y|x). The right-hand side, taken apart:
 *
 *     E_p̂(x)[KL(p̂(y|x) ‖ p_θ(y|x))] = Σ_x p̂(x) Σ_y p̂(y|x) [log p̂(y|x) - log p_θ(y|x)]
 *                                   = Σ_x,y p̂(x, y) log p̂(y|x) - Σ_x,y p̂(x, y) log p_θ(y|x)
 *                                   = -H(y|x) - E_p̂(x,y)[log p_θ(y|x)]
 *
 * H(y|x), the conditional entropy of the data, is finite and does not contain θ. So the two objectives always add up to
 * the same number, -H(y|x), and what makes one larger makes the other smaller: the θ that maximises the likelihood is the
 * θ that minimises the divergence. Also, since a divergence is never negative, no θ has an expected log-likelihood
 * above -H(y|x), and one reaches it exactly where p_θ(y|x) = p̂(y|x) for every x of the data.
 */
export const maximumLikelihood: WrittenProblem = {
  id: "1",
  title: "Maximum likelihood is minimum divergence",
  claim:
    "arg max over θ of E_{p̂(x,y)}[log p_θ(y|x)] = arg min over θ of E_{p̂(x)}[KL(p̂(y|x) ‖ p_θ(y|x))]. " +
    "The two objectives add up to -H(y|x), the conditional entropy of the data, which θ does not touch.",
  check(seed): CheckResult[] {
    const generator = new Generator(seed);
    const data = empirical(generator, 500);
    const models = Array.from({ length: 100 }, () => data.map((row) => randomModelRow(row.length, generator)));
    const likelihoods = models.map((model) => expectedLogLikelihood(data, model));
    const divergences = models.map((model) => expectedDivergence(data, model));
    const entropy = conditionalEntropy(data);
    const deviations = likelihoods.map((likelihood, i) => Math.abs(likelihood + divergences[i]! + entropy));
    const fitted = data.map((row) => logNormalize(row.map((count) => scalarMath.log(count))));
    return [
      near("largest |log-likelihood + divergence + H(y|x)| over 100 random θ", 0, maximum(deviations), 1e-12),
      same(
        "the θ of least divergence, of the 100 (expected: the θ of greatest likelihood)",
        likelihoods.indexOf(maximum(likelihoods)),
        divergences.indexOf(-maximum(divergences.map((each) => -each))),
      ),
      near("divergence of p_θ(y|x) = p̂(y|x)", 0, expectedDivergence(data, fitted), 1e-12),
      near("its expected log-likelihood (expected: -H(y|x))", -entropy, expectedLogLikelihood(data, fitted), 1e-12),
    ];
  },
};

/** A row for each x, a column for each y. */
export type Table = readonly (readonly number[])[];

/** E_p̂(x,y)[log p_θ(y|x)]: `data` holds p̂(x, y), `model` log p_θ(y|x). */
export function expectedLogLikelihood(data: Table, model: Table): number {
  return sum(data.map((row, x) => sum(row.map((probability, y) => weighted(probability, model[x]![y]!)))));
}

/** E_p̂(x)[KL(p̂(y|x) ‖ p_θ(y|x))]: `data` holds p̂(x, y), `model` log p_θ(y|x). */
export function expectedDivergence(data: Table, model: Table): number {
  return sum(
    data.map((row, x) => {
      const px = sum(row);
      if (px === 0) return 0; // an x that was never seen: p̂(y|x) is not defined, and not needed
      const conditional = row.map((probability) => probability / px);
      return px * divergence(conditional, model[x]!);
    }),
  );
}

/** H(y|x) of p̂(x, y). */
export function conditionalEntropy(data: Table): number {
  return -sum(
    data.map((row) => {
      const px = sum(row);
      return sum(row.map((probability) => weighted(probability, scalarMath.log(probability / px))));
    }),
  );
}

/** p̂(x, y) of `samples` pairs from a random distribution over 4 × 5. */
function empirical(generator: Generator, samples: number): Table {
  const truth = randomDistribution(20, generator);
  const counts = Array.from({ length: 4 }, () => new Array<number>(5).fill(0));
  for (let i = 0; i < samples; i++) {
    const pair = drawIndex(truth, generator);
    counts[Math.floor(pair / 5)]![pair % 5]! += 1;
  }
  return counts.map((row) => row.map((count) => count / samples));
}

function randomModelRow(size: number, generator: Generator): number[] {
  return logNormalize(Array.from({ length: size }, () => 2 * generator.normal()));
}
