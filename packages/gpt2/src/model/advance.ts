import { dim, embedding, fromData, type Tensor, tidy } from "@gpt2-ts/tensor";
import { yieldToEventLoop } from "@gpt2-ts/tensor/event-loop";
import { Batch } from "./batch.ts";
import type { KVCache } from "./kv-cache.ts";
import { type C, forward, logits, type Model, type V } from "./model.ts";

/** The most tokens in one pass: bounds its memory, and the time until an abort is noticed. */
const TOKENS_PER_PASS = 256;

/** Logits that exist at once (16 MiB): all of `[T, V]` would be 206 MB for 1,024 tokens of GPT-2. */
const LOGITS_AT_ONCE = 2 ** 22;

/** What a pass over new tokens yields. */
export interface Advance {
  /** The scores of what may follow the last token, and of what may follow each token of the draft: `[1 + draft, V]`. */
  readonly logits: Float32Array;
  /** Those scores as natural log-probabilities, if asked for. */
  readonly nextLogprobs: Float32Array | undefined;
  /** log p of each new token but the first, given all before it; empty unless asked for. */
  readonly logprobs: number[];
}

interface AdvanceOptions {
  readonly draft?: readonly number[] | undefined;
  readonly logprobs?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs the model on the tokens `ids` (at least one) that follow those in `cache`, and adds them to it. A long prompt takes
 * several passes, a single token one: reading and generating are the same code.
 *
 * @param options.draft tokens that might come next: they are added to the cache too, by the last of these passes. What a row of
 *   the result says is the same, bit for bit, as if its tokens had come one at a time
 * @throws TokenIdError, ContextLengthError; `signal.reason` when aborted, with only some of the tokens in the cache
 */
export async function advance(
  model: Model,
  cache: KVCache,
  ids: readonly number[],
  { draft = [], logprobs = false, signal }: AdvanceOptions = {},
): Promise<Advance> {
  const known: number[] = [];
  for (let start = 0; ; start += TOKENS_PER_PASS) {
    await yieldToEventLoop();
    signal?.throwIfAborted();
    const end = Math.min(start + TOKENS_PER_PASS, ids.length);
    const isLast = end === ids.length;
    const pass = isLast ? [...ids.slice(start), ...draft] : ids.slice(start, end);
    using batch = new Batch(model, [{ ids: pass, cache }]);
    using x = forward(model, batch);
    batch.commit();
    if (logprobs) {
      const targets = ids.slice(start + 1, end + 1);
      known.push(...(await logprobsOf(model, x, [...targets.keys()], targets, signal)));
    }
    if (isLast) {
      using scores = tidy(() => logits(model, x.slice(0, end - start - 1, pass.length)));
      using normalized = logprobs ? scores.logSoftmax(-1) : undefined;
      return { logits: await scores.data(), nextLogprobs: await normalized?.data(), logprobs: known };
    }
  }
}

/**
 * The natural log-probability of `targets[i]` after row `rows[i]` of the stack's output `x` `[T, C]`, some rows at a
 * time. Each is a function of its row alone, bit for bit.
 */
export async function logprobsOf(
  model: Model,
  x: Tensor<[number, C]>,
  rows: readonly number[],
  targets: readonly number[],
  signal?: AbortSignal,
): Promise<Float32Array> {
  const result = new Float32Array(rows.length);
  for (const [start, scores] of logitsOfRows(model, x, rows)) {
    using _ = scores;
    using picked = tidy(() => {
      const count = scores.shape[0];
      const index = fromData(targets.slice(start, start + count), [count, 1], { dtype: "int32", device: x.device });
      return scores.logSoftmax(-1).gather(-1, index);
    });
    result.set(await picked.data(), start);
    await yieldToEventLoop();
    signal?.throwIfAborted();
  }
  return result;
}

/** The logits of some rows of `x`, as many at a time as may exist at once, each piece with the number of its first row. */
export function* logitsOfRows(
  model: Model,
  x: Tensor<[number, C]>,
  rows: readonly number[],
): Generator<[start: number, scores: Tensor<[number, V]>]> {
  const atOnce = logitsAtOnce(model);
  for (let start = 0; start < rows.length; start += atOnce) {
    const chosen = rows.slice(start, start + atOnce);
    yield [
      start,
      tidy(() => {
        const index = fromData(chosen, [dim("rows", chosen.length)], { dtype: "int32", device: x.device });
        return logits(model, embedding(x, index));
      }),
    ];
  }
}

/** Rows whose logits may exist at once. */
export function logitsAtOnce(model: Model): number {
  return Math.max(1, Math.floor(LOGITS_AT_ONCE / model.config.vocabSize));
}
