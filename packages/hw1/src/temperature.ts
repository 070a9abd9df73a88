import { nextToken, OptionError } from "@gpt2-ts/gpt2";
import { logSumExp } from "./log-sum-exp.ts";

/**
 * Problem 6.6: temperature for one token, p_T(x_i | x_<i) ∝ p(x_i | x_<i)^(1/T). The softmax of the result is that
 * distribution. Below 1 makes likely tokens likelier.
 *
 * @returns `logits / temperature`, `[V]`
 * @throws OptionError for a temperature that is not above 0
 */
export function temperatureScale(
  logits: ArrayLike<number>,
  { temperature }: { readonly temperature: number; readonly horizon?: 1 },
): Float64Array {
  checkTemperature(temperature);
  return Float64Array.from(logits, (logit) => logit / temperature);
}

/** What may follow each of several tokens: for each of them the log-probabilities `[V]` of the token after it. */
export type Lookahead = (candidates: readonly number[]) => Promise<readonly ArrayLike<number>[]>;

export interface TwoTokenOptions {
  readonly temperature: number;
  /** The pairs summed over: so many first tokens, the likeliest, and so many after each. Default: all. */
  readonly topK?: number | undefined;
  readonly lookahead: Lookahead;
}

/**
 * Problem 6.7b: temperature for pairs of tokens. The pairs' probabilities are scaled together, and then the second token
 * is summed out:
 *
 *     p_T(x_i | x_<i) ∝ Σ over x_i+1 of (p(x_i | x_<i) · p(x_i+1 | x_<i, x_i))^(1/T)
 *
 * where p is the model's own distribution, over the whole vocabulary; top-k only says which pairs are summed over. So at
 * T = 1 it is the model's distribution again if top-k covers the vocabulary, and as T → 0 it becomes certain of the first
 * token of the likeliest pair.
 *
 * The logits stand for log p(x_i | x_<i): they differ from it by the same number for all x_i, which does not matter here.
 *
 * @returns the logits `[V]` of the scaled distribution; -Infinity for tokens that are not among the top k
 * @throws OptionError for a temperature that is not above 0, or a top-k below 1
 */
export async function twoTokenScale(
  logits: ArrayLike<number>,
  { temperature, topK, lookahead }: TwoTokenOptions,
): Promise<Float64Array> {
  checkTemperature(temperature);
  const scaled = new Float64Array(logits.length).fill(Number.NEGATIVE_INFINITY);
  const candidates = [...nextToken(logits, { topK }).ids];
  const following = await lookahead(candidates); // k × [V]
  for (const [i, candidate] of candidates.entries()) {
    const second = following[i]!; // log p(x_i+1 | x_<i, x_i)
    const pairs = Array.from(nextToken(second, { topK }).ids, (id) => logits[candidate]! + second[id]!);
    scaled[candidate] = logSumExp(pairs.map((pair) => pair / temperature));
  }
  return scaled;
}

function checkTemperature(temperature: number): void {
  if (Number.isFinite(temperature) && temperature > 0) return;
  throw new OptionError("temperature", `expected a number above 0, got ${temperature}`);
}
