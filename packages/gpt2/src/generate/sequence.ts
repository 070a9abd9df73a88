import { Generator, type Tensor } from "@gpt2-ts/tensor";
import { ContextLengthError } from "../errors.ts";
import { checkTokenIds } from "../model/batch.ts";
import type { KVCache } from "../model/kv-cache.ts";
import { type Logprobs, logprobsIn, type Top } from "../model/logprobs.ts";
import type { Model, V } from "../model/model.ts";
import type { Drafter } from "./lookup.ts";
import { type ByTemperature, deviceDraws, drawNext, NOT_DRAWN } from "./next-token.ts";
import type { SamplingOptions } from "./sampling.ts";

/** A text to be continued, token by token. */
export interface SequenceOptions extends SamplingOptions {
  /** Its beginning: at least one token. */
  readonly prompt: readonly number[];
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
  /** Whether those of the prompt are among them. Default true. */
  readonly promptLogprobs?: boolean | undefined;
  /** Returns with them so many of the likeliest tokens in each place. */
  readonly top?: number | undefined;
  /**
   * Proposes next tokens, knowing the prompt. A pass takes them along, and those that the draws confirm need no pass of their own:
   * tokens and log-probabilities are the same, bit for bit, as without it.
   */
  readonly drafter?: Drafter | undefined;
}

/** One generated token. */
export interface GeneratedToken {
  readonly id: number;
  /** Its log-probability and, if asked for, those of the likeliest tokens: before temperature and filters. */
  readonly logprobs: Logprobs | undefined;
}

/**
 * Why a generation ended: it has `maxTokens` tokens ("length"), prompt and output fill all of the model's positions
 * ("context"), an end token was drawn ("eos"), a stop text came ("stop"), or nobody wanted more of it ("aborted").
 */
export type FinishReason = "length" | "context" | "eos" | "stop" | "aborted";

/** Where what comes of a sequence goes, while it is computed. */
export interface SequenceOutput {
  /** The log-probabilities of the prompt's tokens from the second on; called once, before the first token, if asked for. */
  prompt(logprobs: Logprobs): void;
  /** The next token. Returns whether the text ends with it. */
  token(token: GeneratedToken): boolean;
  /** Nothing more will come. */
  end(reason: FinishReason): void;
  /** Nothing more will come, because of an error. */
  fail(error: unknown): void;
}

const NO_IDS = new Int32Array(0);

/**
 * A text in progress: its tokens and how the next ones are drawn. Prompt and output together fill at most `n_positions`
 * positions; nothing is ever dropped from the beginning to go on.
 */
export class Sequence {
  readonly options: SequenceOptions;
  /** Positions that prompt and output may fill. */
  readonly longest: number;
  /** Keys and values of all tokens but those that no pass has seen; once the prompt was read. */
  cache: KVCache | undefined;
  readonly #ids: number[];
  readonly #nPositions: number;
  readonly #generator: Generator;
  readonly #output: SequenceOutput;
  #ended = false;

  /**
   * @param options were checked: see checkGenerateOptions
   * @throws ContextLengthError for a prompt that leaves no room for a token; TokenIdError; RangeError for no tokens
   */
  constructor(model: Model, options: SequenceOptions, output: SequenceOutput) {
    const { nPositions } = model.config;
    const { prompt, maxTokens = nPositions, seed } = options;
    if (prompt.length === 0) throw new RangeError("sequence: a prompt without tokens");
    if (prompt.length >= nPositions) throw new ContextLengthError(prompt.length + 1, nPositions);
    checkTokenIds(model, prompt);
    this.options = options;
    this.longest = Math.min(nPositions, prompt.length + maxTokens);
    this.#ids = [...prompt];
    this.#nPositions = nPositions;
    this.#generator = new Generator(seed);
    this.#output = output;
  }

  get length(): number {
    return this.#ids.length;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The log-probabilities that are wanted of likeliest tokens. */
  get top(): Top | undefined {
    const { top, never = NO_IDS } = this.options;
    return top === undefined ? undefined : { count: top, never };
  }

  get wantsLogprobs(): boolean {
    return (this.options.logprobs ?? false) || this.options.top !== undefined;
  }

  get wantsPromptLogprobs(): boolean {
    return this.wantsLogprobs && (this.options.promptLogprobs ?? true);
  }

  /** The last token, which no pass has seen, and guesses of what follows. */
  next(): { readonly id: number; readonly draft: readonly number[] } {
    const draft = this.options.drafter?.draft(this.longest - this.length - 1) ?? [];
    return { id: this.#ids.at(-1)!, draft };
  }

  /** Whether the text has so many tokens, and this one is the last of them. */
  isAt(length: number, last: number): boolean {
    return this.length === length && this.#ids[length - 1] === last;
  }

  promptRead(logprobs: Logprobs): void {
    this.#output.prompt(logprobs);
  }

  /**
   * By what the device can draw the next token of this text beside those of others: see {@link drawRows}.
   *
   * @internal
   */
  byTemperature(logits: Tensor<[number, V]>): ByTemperature | undefined {
    const { never = NO_IDS, temperature = 1 } = this.options;
    return deviceDraws(logits, this.options, never) ? { temperature, generator: this.#generator } : undefined;
  }

  /**
   * Draws the next token. Logits that nothing can be drawn from end the sequence with a RangeError.
   *
   * @param drawn the token, where the device has drawn it already
   */
  async draw(logits: Tensor<[1, V]>, drawn = NOT_DRAWN): Promise<void> {
    try {
      const { options } = this;
      const { never = NO_IDS, endTokens = [], prompt, maxTokens, drafter } = options;
      const text = { ids: this.#ids, promptLength: prompt.length };
      const id = drawn === NOT_DRAWN ? await drawNext({ logits, never, options, text }, this.#generator) : drawn;
      if (this.#ended) return; // meanwhile
      if (endTokens.includes(id)) return this.end("eos");
      const logprobs = this.wantsLogprobs ? await logprobsIn(logits, [id], this.top) : undefined;
      if (this.#ended) return;
      this.#ids.push(id);
      drafter?.push(id);
      if (this.#output.token({ id, logprobs })) this.end("stop");
      else if (this.length - prompt.length === maxTokens) this.end("length");
      else if (this.length === this.#nPositions) this.end("context");
    } catch (error) {
      this.fail(error);
    }
  }

  end(reason: FinishReason): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#output.end(reason);
  }

  fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#output.fail(error);
  }

  dispose(): void {
    this.cache?.dispose();
    this.cache = undefined;
  }
}
