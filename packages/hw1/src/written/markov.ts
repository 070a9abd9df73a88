import { Generator } from "@gpt2-ts/tensor";
import { jointParameters } from "./joint-table.ts";
import { type CheckResult, same, type WrittenProblem } from "./problem.ts";
import { freeEntries, independentEntries, markovNetwork, range } from "./tables.ts";

/**
 * Split the chain rule after the m-th variable. The first m are unrestricted, so by 3.1 they need k_1 ⋯ k_m - 1 parameters.
 * Each later X_i has a table with a row for each combination of outcomes of X_(i-m), …, X_(i-1), and k_i - 1 free entries
 * in each row. All tables can be chosen independently of one another:
 *
 *     (∏_{i=1..m} k_i - 1) + Σ_{i=m+1..n} (k_i - 1) ∏_{j=i-m..i-1} k_j
 *
 * With m = n - 1 the sum has one term, (k_n - 1) k_1 ⋯ k_(n-1), and the total is k_1 ⋯ k_n - 1, as in 3.1. (m = 0, which the
 * problem leaves out, would give 3.2.)
 */
export const markov: WrittenProblem = {
  id: "3.3",
  title: "Parameters under the Markov assumption of order m",
  claim: "(∏_{i=1..m} k_i - 1) + Σ_{i=m+1..n} (k_i - 1) ∏_{j=i-m..i-1} k_j parameters.",
  differs:
    "The answer sheet starts its first product at i = 0. There is no X_0, so k_0 is not defined and neither is the product. " +
    "(Read as the first entry of an array that counts from 0, it would have one factor too many.)",
  check(seed): CheckResult[] {
    const generator = new Generator(seed);
    const outcomes = [2, 3, 4, 2, 3];
    const counts = range(1, outcomes.length).flatMap((order) => {
      const network = markovNetwork(outcomes, order);
      const expected = markovParameters(outcomes, order);
      return [
        same(`k = (${outcomes.join(", ")}), m = ${order}: free entries of the tables`, expected, freeEntries(network)),
        same("of them independent", expected, independentEntries(network, generator)),
      ];
    });
    return [
      ...counts,
      same("m = n - 1 (expected: 3.1)", jointParameters(outcomes), markovParameters(outcomes, outcomes.length - 1)),
      same("the answer sheet's ∏_{i=0..2} k_i", "k_0 is not defined: there are k_1 to k_5", sheetProduct(outcomes, 2)),
    ];
  },
};

/**
 * The parameters of a joint distribution in which X_i depends on X_(i-m), …, X_(i-1) only.
 *
 * @param order m, from 1 to n - 1
 * @throws RangeError for any other `order`
 */
export function markovParameters(outcomes: readonly number[], order: number): number {
  const n = outcomes.length;
  if (!Number.isInteger(order) || order < 1 || order >= n) {
    throw new RangeError(`order: expected an integer from 1 to ${n - 1} for ${n} variables, got ${order}`);
  }
  let count = product(outcomes, 1, order) - 1;
  for (let i = order + 1; i <= n; i++) count += (outcomes[i - 1]! - 1) * product(outcomes, i - order, i - 1);
  return count;
}

/** k_from ⋯ k_to, numbered from 1 as on the problem sheet. Throws a RangeError for a k that does not exist. */
export function product(outcomes: readonly number[], from: number, to: number): number {
  let result = 1;
  for (let i = from; i <= to; i++) {
    const count = outcomes[i - 1];
    if (count === undefined) throw new RangeError(`k_${i} is not defined: there are k_1 to k_${outcomes.length}`);
    result *= count;
  }
  return result;
}

/** The answer sheet's product from i = 0, or why there is none. */
function sheetProduct(outcomes: readonly number[], order: number): number | string {
  try {
    return product(outcomes, 0, order);
  } catch (error) {
    return (error as RangeError).message;
  }
}
