import type { GPT2, ScoreProgress, Text } from "@gpt2-ts/gpt2";
import type { SetLikelihoods } from "./results.ts";

export interface LikelihoodOptions {
  readonly onProgress?: ((progress: ScoreProgress) => void) | undefined;
  /** Ends the scoring early: it throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Problem 6.4: how likely the model finds a text (or its tokens), Σ log p(x_t | x_<t) over its tokens but the first,
 * which is given. In nats; 0 for a text of fewer than two tokens. A text longer than the context is read through windows of a whole context,
 * half a context apart: then each token comes after at least half a context of others.
 */
export async function logLikelihood(model: GPT2, text: Text, options?: LikelihoodOptions): Promise<number> {
  const [value] = await logLikelihoods(model, [text], options);
  return value!;
}

/** The log-likelihood of each text, equal to the bit to {@link logLikelihood} of it: many texts share a pass. */
export async function logLikelihoods(
  model: GPT2,
  texts: readonly Text[],
  options: LikelihoodOptions = {},
): Promise<number[]> {
  const stride = Math.max(1, Math.floor(model.config.nPositions / 2));
  const scores = await model.scoreAll(texts, { ...options, stride });
  return scores.map(({ logLikelihood }) => logLikelihood);
}

/** Log-likelihood per character (code point), so that texts of different lengths can be compared; 0 for an empty one. */
export function perCharacter(logLikelihood: number, text: string): number {
  return text === "" ? 0 : logLikelihood / characters(text);
}

/** The same for each text of a set. */
export function perCharacters({ logLikelihoods, characters }: SetLikelihoods): number[] {
  return logLikelihoods.map((value, i) => value / Math.max(1, characters[i]!));
}

/** The code points of a text. */
export function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
