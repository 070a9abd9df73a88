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

/**
 * What top-k does at a horizon of two tokens. `"pairs"`: it says which pairs are summed over, and their probabilities are the model's
 * own. `"second"`: the second token too is drawn from the top k only, so its probabilities are those of the top k, which add up to 1;
 * that is how the course's starter code asks for it.
 */
export type Horizon2TopK = "pairs" | "second";

export const HORIZON2_TOP_K: readonly Horizon2TopK[] = ["pairs", "second"];

export interface TwoTokenOptions {
  readonly temperature: number;
  /** The pairs summed over: so many first tokens, the likeliest, and so many after each. Default: all. */
  readonly topK?: number | undefined;
  /** Default `"pairs"`. */
  readonly horizon2TopK?: Horizon2TopK | undefined;
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
 * With `horizon2TopK: "second"`, p(x_i+1 | x_<i, x_i) is that of the top k instead, which adds up to 1 after every x_i. Then T = 1 gives
 * horizon 1 back for every k; but a first token after which much lies outside the top k counts for more than it does in the model.
 *
 * The logits stand for log p(x_i | x_<i): they differ from it by the same number for all x_i, which does not matter here.
 *
 * @returns the logits `[V]` of the scaled distribution; -Infinity for tokens that are not among the top k
 * @throws OptionError for a temperature that is not above 0, a top-k below 1, or an unknown `horizon2TopK`
 */
export async function twoTokenScale(
  logits: ArrayLike<number>,
  { temperature, topK, horizon2TopK = "pairs", lookahead }: TwoTokenOptions,
): Promise<Float64Array> {
  checkTemperature(temperature);
  if (!HORIZON2_TOP_K.includes(horizon2TopK)) {
    throw new OptionError("horizon2TopK", `expected ${HORIZON2_TOP_K.join(" or ")}, got ${String(horizon2TopK)}`);
  }
  const scaled = new Float64Array(logits.length).fill(Number.NEGATIVE_INFINITY);
  const candidates = [...nextToken(logits, { topK }).ids];
  const following = await lookahead(candidates); // k × [V]
  for (const [i, candidate] of candidates.entries()) {
    const second = following[i]!; // log p(x_i+1 | x_<i, x_i)
    const kept = Array.from(nextToken(second, { topK }).ids, (id) => second[id]!);
    const total = horizon2TopK === "second" ? logSumExp(kept) : 0;
    scaled[candidate] = logSumExp(kept.map((logprob) => (logits[candidate]! + logprob - total) / temperature));
  }
  return scaled;
}

function checkTemperature(temperature: number): void {
  if (Number.isFinite(temperature) && temperature > 0) return;
  throw new OptionError("temperature", `expected a number above 0, got ${temperature}`);
}
