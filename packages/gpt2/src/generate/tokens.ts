import { Generator, type Tensor } from "@gpt2-ts/tensor";
import { ContextLengthError } from "../errors.ts";
import { advance } from "../model/advance.ts";
import { KVCache } from "../model/kv-cache.ts";
import type { Model, V } from "../model/model.ts";
import type { Drafter } from "./lookup.ts";
import { type Choice, logprobOf, nextTokenOf } from "./next-token.ts";
import { draw, type SamplingOptions } from "./sampling.ts";

/** How tokens are generated. */
export interface GenerateTokensOptions extends SamplingOptions {
  /** At most so many tokens. Default: as many as the context has room for. */
  readonly maxTokens?: number | undefined;
  /** Seed of the draws, 0..2^53-1: the same seed gives the same tokens everywhere. */
  readonly seed: number;
  /** Tokens that end the text, and are not part of it. */
  readonly endTokens?: readonly number[] | undefined;
  /** Ids that are never drawn, besides those that sampling leaves out. */
  readonly never?: Int32Array | undefined;
  /** Whether to return the log-probabilities of prompt and output, which come from the same passes. */
  readonly logprobs?: boolean | undefined;
  /**
   * Proposes next tokens, knowing the prompt. A pass takes them along, and those that the draws confirm need no pass of their own:
   * tokens and log-probabilities are the same, bit for bit, as without it.
   */
  readonly drafter?: Drafter | undefined;
  /** Stops early: the generation then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** One generated token. */
export interface GeneratedToken {
  readonly id: number;
  /** The model's own natural log-probability of this token, before temperature and filters, if asked for. */
  readonly logprob: number | undefined;
  /** With the first token, if asked for: log-probabilities of the prompt's tokens from the second on. */
  readonly promptLogprobs: readonly number[] | undefined;
}

/**
 * Why a generation ended: it has `maxTokens` tokens ("length"), prompt and output fill all of the model's positions
 * ("context"), an end token was drawn ("eos"), or a stop text came ("stop").
 */
export type FinishReason = "length" | "context" | "eos" | "stop";

const NO_IDS = new Int32Array(0);

/**
 * Continues a prompt of at least one token, token by token. Prompt and output together fill at most `n_positions`
 * positions; nothing is ever dropped from the beginning to go on.
 *
 * @returns why it ended
 * @param options were checked: see checkGenerateOptions
 * @throws ContextLengthError for a prompt that leaves no room
 *   for a token, TokenIdError; `signal.reason` when aborted
 */
export async function* generateTokens(
  model: Model,
  prompt: readonly number[],
  options: GenerateTokensOptions,
): AsyncGenerator<GeneratedToken, Exclude<FinishReason, "stop">> {
  const { nPositions } = model.config;
  const { maxTokens = nPositions, seed, endTokens = [], never = NO_IDS, logprobs = false, drafter, signal } = options;
  if (prompt.length >= nPositions) throw new ContextLengthError(prompt.length + 1, nPositions);

  const generator = new Generator(seed);
  const ids = [...prompt];
  const longest = Math.min(nPositions, prompt.length + maxTokens);
  const cache = new KVCache(model, longest);
  try {
    while (true) {
      const draft = drafter?.draft(longest - ids.length - 1) ?? [];
      const pass = await advance(model, cache, ids.slice(cache.length), { draft, logprobs, signal });
      using scores = pass.logits;
      for (let row = 0; row === 0 || ids.at(-1) === draft[row - 1]; row++) {
        signal?.throwIfAborted();
        const logits = scores.slice(0, row, row + 1) as Tensor<[1, V]>;
        const text = { ids, promptLength: prompt.length };
        const { id, logprob } = await drawn({ logits, never, options, text }, generator, logprobs);
        if (endTokens.includes(id)) return "eos";
        const promptLogprobs = logprobs && ids.length === prompt.length ? pass.logprobs : undefined;
        ids.push(id);
        drafter?.push(id);
        yield { id, logprob, promptLogprobs };
        if (ids.length === prompt.length + maxTokens) return "length";
        if (ids.length === nPositions) return "context";
      }
      cache.truncate(ids.length - 1); // without what was drafted wrongly
    }
  } finally {
    cache.dispose();
  }
}

/** Draws a token, and frees the logits. */
async function drawn(
  choice: Choice,
  generator: Generator,
  logprobs: boolean,
): Promise<Pick<GeneratedToken, "id" | "logprob">> {
  using logits = choice.logits;
  const id = draw(await nextTokenOf(choice), generator);
  return { id, logprob: logprobs ? await logprobOf(logits, id) : undefined };
}
