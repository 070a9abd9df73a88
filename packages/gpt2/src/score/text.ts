import { exp } from "@gpt2-ts/tensor/math";
import { type Alternative, alternativesOf } from "../alternatives.ts";
import type { Model } from "../model/model.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { type ScoreOptions, scoreTokens } from "./tokens.ts";

/** How likely a model finds a text. */
export interface Score {
  readonly ids: readonly number[];
  /** Each token's text, for display, with `\xNN` for bytes that are only part of a character. */
  readonly tokens: readonly string[];
  /** Natural log-probability of each token but the first, which is given: one fewer than `ids`. */
  readonly logprobs: readonly number[];
  /** The sum of `logprobs`, in nats; 0 if there are none. */
  readonly logLikelihood: number;
  /** e to the power of minus the mean of `logprobs`; NaN for a text of fewer than two tokens. */
  readonly perplexity: number;
  /** Bits per byte of all tokens but the first; NaN for a text of fewer than two tokens. */
  readonly bitsPerByte: number;
  /**
   * With `top`: the likeliest tokens in each place of `logprobs`, the likeliest first. Where that is the text's own token, it has
   * the same log-probability, to the bit. Ids that the tokenizer has no token for are left out.
   */
  readonly alternatives?: readonly (readonly Alternative[])[];
}

/**
 * Scores texts, given as tokens. Results are in the order of the texts, each with the same bits as if scored alone.
 *
 * @throws OptionError, TokenIdError, ContextLengthError (unless a `stride` is given); `signal.reason` when aborted
 */
export async function scoreTexts(
  model: Model,
  tokenizer: Tokenizer,
  texts: readonly (readonly number[])[],
  options?: ScoreOptions,
): Promise<Score[]> {
  const scores = await scoreTokens(model, texts, options, tokenizer.idsWithoutToken(model.config.vocabSize));
  return texts.map((ids, i) => {
    const score = summary(tokenizer, ids, Array.from(scores[i]!.targets));
    return options?.top === undefined ? score : { ...score, alternatives: alternativesOf(scores[i]!, tokenizer) };
  });
}

function summary(tokenizer: Tokenizer, ids: readonly number[], logprobs: readonly number[]): Score {
  const logLikelihood = logprobs.reduce((sum, logprob) => sum + logprob, 0);
  const bytes = tokenizer.decodeBytes(ids.slice(1)).length;
  return {
    ids,
    tokens: tokenizer.tokens(ids),
    logprobs,
    logLikelihood,
    perplexity: exp(-logLikelihood / logprobs.length),
    bitsPerByte: -logLikelihood / Math.LN2 / bytes,
  };
}
