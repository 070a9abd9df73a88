import { Generator } from "@gpt2-ts/tensor";
import { type CheckResult, same, type WrittenProblem } from "./problem.ts";
import { freeEntries, independentEntries, markovNetwork } from "./tables.ts";

/**
 * A joint distribution over (X_1, …, X_n) is a table with one probability for each of the ∏ k_i combinations of outcomes.
 * The probabilities add up to 1, so the last follows from the others; the others can be any numbers that are not negative
 * and add up to at most 1. That leaves ∏ k_i - 1.
 *
 * The chain rule says the same in another way. p(x_i | x_1, …, x_(i-1)) is a table with a row for each of the k_1 ⋯ k_(i-1)
 * beginnings, each with k_i - 1 free entries, and the sum telescopes:
 *
 *     Σ_i (k_i - 1) k_1 ⋯ k_(i-1) = Σ_i (k_1 ⋯ k_i - k_1 ⋯ k_(i-1)) = k_1 ⋯ k_n - 1
 */
export const jointTable: WrittenProblem = {
  id: "3.1",
  title: "Parameters of a joint distribution",
  claim: "Without independence assumptions the joint distribution needs ∏ k_i - 1 parameters.",
  check(seed): CheckResult[] {
    const generator = new Generator(seed);
    return [[2], [2, 2], [3, 4], [2, 3, 4], [2, 2, 2, 2, 2]].flatMap((outcomes) => {
      const network = markovNetwork(outcomes, outcomes.length - 1); // each variable depends on all before it
      const expected = jointParameters(outcomes);
      return [
        same(`k = (${outcomes.join(", ")}): free entries of the chain rule's tables`, expected, freeEntries(network)),
        same("of them independent", expected, independentEntries(network, generator)),
      ];
    });
  },
};

/** ∏ k_i - 1. */
export function jointParameters(outcomes: readonly number[]): number {
  return outcomes.reduce((product, count) => product * count, 1) - 1;
}
