import { Generator } from "@gpt2-ts/tensor";
import { sum } from "./distributions.ts";
import { type CheckResult, near, same, type WrittenProblem } from "./problem.ts";
import { assignments, freeEntries, independentEntries, markovNetwork } from "./tables.ts";

/**
 * If the X_i are mutually independent, p(x_1, …, x_n) = ∏ p(x_i): one table of k_i - 1 free entries for each variable, and
 * Σ (k_i - 1) in all.
 *
 * Among Bayesian networks nothing else is as small: an edge i → j gives X_j's table a row for each outcome of X_i, which
 * adds at least (k_i - 1)(k_j - 1) entries, more than none unless a variable is constant. And pairwise independence is
 * not enough: of two fair coins and their exclusive or, any two are independent, yet the three are not, and the marginals
 * do not determine the joint.
 */
export const independence: WrittenProblem = {
  id: "3.2",
  title: "Parameters under independence",
  claim:
    "Σ (k_i - 1) parameters suffice when X_1, …, X_n are mutually independent; pairwise independence is not enough.",
  check(seed): CheckResult[] {
    const generator = new Generator(seed);
    const counts = [
      [2, 2],
      [3, 4],
      [2, 3, 4],
      [2, 2, 2, 2, 2],
    ].flatMap((outcomes) => {
      const network = markovNetwork(outcomes, 0);
      const expected = independentParameters(outcomes);
      return [
        same(`k = (${outcomes.join(", ")}): free entries of the tables p(x_i)`, expected, freeEntries(network)),
        same("of them independent", expected, independentEntries(network, generator)),
      ];
    });
    const three = { outcomes: [2, 3, 4], parents: [[], [], []] };
    const edge = { ...three, parents: [[], [], [1]] };
    return [
      ...counts,
      same("k = (2, 3, 4): entries that an edge 2 → 3 adds, (3 - 1)(4 - 1)", 6, freeEntries(edge) - freeEntries(three)),
      near("two coins and their exclusive or: dependence of a pair", 0, dependence(exclusiveOr, [0, 2]), 0),
      near("dependence of the three", 0.125, dependence(exclusiveOr, [0, 1, 2]), 0),
    ];
  },
};

/** Σ (k_i - 1). */
export function independentParameters(outcomes: readonly number[]): number {
  return sum(outcomes.map((count) => count - 1));
}

/** A probability for each combination of bits. */
type BitTable = (bits: readonly number[]) => number;

const exclusiveOr: BitTable = ([a, b, c]) => (c === (a! ^ b!) ? 0.25 : 0);

/** The largest |p(x_i for i of `variables`) - ∏ p(x_i)| of three bits: 0 if and only if those are mutually independent. */
function dependence(joint: BitTable, variables: readonly number[]): number {
  const all = assignments([2, 2, 2]);
  const marginal = (fixed: readonly number[], bits: readonly number[]): number =>
    sum(all.filter((other) => fixed.every((i) => other[i] === bits[i])).map(joint));
  const product = (bits: readonly number[]): number => variables.reduce((p, i) => p * marginal([i], bits), 1);
  return Math.max(...all.map((bits) => Math.abs(marginal(variables, bits) - product(bits))));
}
