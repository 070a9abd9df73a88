import { dim, embedding, fromData, type Tensor, tidy } from "@gpt2-ts/tensor";
import { Batch } from "./batch.ts";
import type { KVCache } from "./kv-cache.ts";
import { logprobsOf } from "./logprobs.ts";
import { type C, forwardInSteps, logits, type Model, type V } from "./model.ts";
import { nextTurn, withPauses } from "./pauses.ts";

/** The most tokens in one pass: bounds its memory, and the time of a step of it. */
const TOKENS_PER_PASS = 256;

/** Logits that exist at once (16 MiB): all of `[T, V]` would be 206 MB for 1,024 tokens of GPT-2. */
const LOGITS_AT_ONCE = 2 ** 22;

/** What a pass over new tokens yields. */
export interface Advance {
  /**
   * The scores of what may follow the last token, and of what may follow each token of the draft, on the model's device. The
   * caller disposes of them.
   */
  readonly logits: Tensor<[number, V]>;
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
 * @param options.draft tokens that might come next: they are added to the cache too, by the last of these passes. The logits are
 *   the same, bit for bit, as if all these tokens had come one at a time
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
    await nextTurn();
    signal?.throwIfAborted();
    const end = Math.min(start + TOKENS_PER_PASS, ids.length);
    const isLast = end === ids.length;
    const pass = isLast ? [...ids.slice(start), ...draft] : ids.slice(start, end);
    using batch = new Batch(model, [{ ids: pass, cache }]);
    using x = await withPauses(forwardInSteps(model, batch), signal);
    batch.commit();
    const targets = ids.slice(start + 1, end + 1);
    if (logprobs && targets.length > 0) {
      known.push(...(await logprobsOf(model, x, [...targets.keys()], targets, signal)));
    }
    if (isLast) {
      const scores = tidy(() => logits(model, x.slice(0, end - start - 1, pass.length)));
      return { logits: scores, logprobs: known };
    }
  }
}

/** The logits of some rows of `x`, as many at a time as may exist at once. */
export function* logitsOfRows(
  model: Model,
  x: Tensor<[number, C]>,
  rows: readonly number[],
): Generator<Tensor<[number, V]>> {
  const atOnce = Math.max(1, Math.floor(LOGITS_AT_ONCE / model.config.vocabSize));
  for (let start = 0; start < rows.length; start += atOnce) {
    const chosen = rows.slice(start, start + atOnce);
    yield tidy(() => {
      const index = fromData(chosen, [dim("rows", chosen.length)], { dtype: "int32", device: x.device });
      return logits(model, embedding(x, index));
    });
  }
}
