import { checkOptionNames } from "@gpt2-ts/tensor/options";
import { advance, logitsOfRows } from "../model/advance.ts";
import { Batch } from "../model/batch.ts";
import { KVCache } from "../model/kv-cache.ts";
import { forwardInSteps, type Model } from "../model/model.ts";
import { nextTurn, pauses, withPauses } from "../model/pauses.ts";
import { checkFlag, checkInteger, expectIterable } from "../options.ts";

/** The most tokens of continuations in one pass. */
const TOKENS_PER_PASS = 1024;

/**
 * A text in progress: its tokens and their KV cache. Tokens can be appended for good, and any number of continuations can be
 * tried side by side, which share that cache.
 *
 *     using context = model.context();
 *     const logits = await context.append(model.tokenizer.encode("Once upon a"));
 *     const [afterBe, afterSleep] = await context.branch([encode(" be"), encode(" sleep")]);
 */
export class Context {
  readonly #model: Model;
  readonly #cache: KVCache;
  readonly #ids: number[] = [];
  /** Settled when all that was asked for so far is done: passes pause, and two of them would write to the same positions. */
  #latest: Promise<unknown> = Promise.resolve();
  #busy = 0;

  /**
   * @param options.capacity the tokens there is room for, `n_positions` by default
   * @throws OptionError
   */
  constructor(model: Model, options: { readonly capacity?: number | undefined } = {}) {
    checkOptionNames(options, ["capacity"]);
    checkInteger("capacity", options.capacity, 1, model.config.nPositions);
    this.#model = model;
    this.#cache = new KVCache(model, options.capacity);
  }

  /** The tokens so far. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /** The number of tokens so far. */
  get length(): number {
    return this.#ids.length;
  }

  /** The number of tokens that fit. */
  get capacity(): number {
    return this.#cache.capacity;
  }

  /**
   * Appends tokens (at least one).
   *
   * @returns the logits `[V]` of what may follow
   * @throws TokenIdError, ContextLengthError, RangeError for no tokens; `signal.reason` when aborted. The context is then
   *   unchanged
   */
  async append(
    ids: readonly number[],
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Float32Array> {
    expectIterable("append", "an array of token ids", ids);
    return this.#inTurn(async () => {
      const before = this.#ids.length;
      try {
        using logits = await advance(this.#model, this.#cache, ids, signal);
        const data = await logits.data();
        this.#ids.push(...ids);
        return data;
      } catch (error) {
        this.#cache.truncate(before);
        throw error;
      }
    });
  }

  /**
   * What may follow each of several continuations (of at least one token) of this context, which does not change. They are one
   * batch: k continuations by one token read the model's weights once, not k times.
   *
   * @param options.logprobs whether to return natural log-probabilities instead of logits. Default false
   * @returns for each continuation the logits `[V]` after its last token
   * @throws OptionError, TokenIdError, ContextLengthError, RangeError for a continuation without tokens; `signal.reason` when
   *   aborted
   */
  async branch(
    continuations: readonly (readonly number[])[],
    options: { readonly logprobs?: boolean | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Float32Array[]> {
    for (const each of expectIterable("branch", "an array of continuations", continuations)) {
      expectIterable("branch", "continuations that are arrays of token ids", each);
    }
    checkOptionNames(options, ["logprobs", "signal"]);
    checkFlag("logprobs", options.logprobs);
    return this.#inTurn(() => this.#branch(continuations, options));
  }

  async #branch(
    continuations: readonly (readonly number[])[],
    {
      logprobs = false,
      signal,
    }: { readonly logprobs?: boolean | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<Float32Array[]> {
    const results: Float32Array[] = [];
    for (let first = 0; first < continuations.length; ) {
      let end = first + 1;
      let tokens = continuations[first]!.length;
      while (end < continuations.length && tokens + continuations[end]!.length <= TOKENS_PER_PASS) {
        tokens += continuations[end++]!.length;
      }
      await nextTurn();
      signal?.throwIfAborted();
      results.push(...(await this.#pass(continuations.slice(first, end), logprobs, signal)));
      first = end;
    }
    return results;
  }

  async #pass(
    continuations: readonly (readonly number[])[],
    logprobs: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Float32Array[]> {
    const sequences = continuations.map((ids) => ({ ids, cache: this.#cache, remember: false }));
    using batch = new Batch(this.#model, sequences);
    using x = await withPauses(forwardInSteps(this.#model, batch), signal);
    const lastRows = continuations.map(({ length }, i) => batch.starts[i]! + length - 1);
    const results: Float32Array[] = [];
    const pause = pauses(signal);
    for (const scores of logitsOfRows(this.#model, x, lastRows)) {
      using _ = scores;
      using normalized = logprobs ? scores.logSoftmax(-1) : undefined;
      const data = await (normalized ?? scores).data();
      const { vocabSize } = this.#model.config;
      for (let at = 0; at < data.length; at += vocabSize) results.push(data.subarray(at, at + vocabSize));
      await pause();
    }
    return results;
  }

  /** One after the other, in the order they were asked for. */
  async #inTurn<Result>(action: () => Promise<Result>): Promise<Result> {
    this.#busy++;
    const turn = this.#latest.then(action).finally(() => this.#busy--);
    this.#latest = turn.catch(() => {});
    return turn;
  }

  /**
   * Forgets all tokens but the first `length`. Throws a RangeError if there are fewer, or while something is being appended or
   * tried.
   */
  truncate(length: number): void {
    if (this.#busy > 0) throw new RangeError("truncate: the context is in use; await append and branch first");
    this.#cache.truncate(length);
    this.#ids.length = length;
  }

  dispose(): void {
    this.#cache.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
