import { dim, embedding, fromData, type Tensor, tidy } from "@gpt2-ts/tensor";
import { Batch } from "./batch.ts";
import type { KVCache } from "./kv-cache.ts";
import { type C, forwardInSteps, logits, type Model, type V } from "./model.ts";
import { nextTurn, withPauses } from "./pauses.ts";

/** The most tokens in one pass: bounds its memory, and the time of a step of it. */
export const TOKENS_PER_PASS = 256;

/** Logits that exist at once (16 MiB): all of `[T, V]` would be 206 MB for 1,024 tokens of GPT-2. */
const LOGITS_AT_ONCE = 2 ** 22;

/**
 * Runs the model on the tokens `ids` (at least one) that follow those in `cache`, and adds them to it. A long text takes several
 * passes.
 *
 * @returns the scores `[1, V]` of what may follow, on the model's device; the caller disposes of them
 * @throws TokenIdError, ContextLengthError; `signal.reason` when aborted, with only some of the tokens in the cache
 */
export async function advance(
  model: Model,
  cache: KVCache,
  ids: readonly number[],
  signal?: AbortSignal,
): Promise<Tensor<[number, V]>> {
  for (let start = 0; ; start += TOKENS_PER_PASS) {
    await nextTurn();
    signal?.throwIfAborted();
    const pass = ids.slice(start, start + TOKENS_PER_PASS);
    using batch = new Batch(model, [{ ids: pass, cache }]);
    using x = await withPauses(forwardInSteps(model, batch), signal);
    batch.commit();
    if (start + pass.length === ids.length) return tidy(() => logits(model, x.slice(0, pass.length - 1)));
  }
}

/** The logits of some rows of `x`, in ascending order, as many at a time as may exist at once. */
export function* logitsOfRows(
  model: Model,
  x: Tensor<[number, C]>,
  rows: readonly number[],
): Generator<Tensor<[number, V]>> {
  const atOnce = Math.max(1, Math.floor(LOGITS_AT_ONCE / model.config.vocabSize));
  if (rows.length === x.shape[0] && rows.length <= atOnce) {
    yield logits(model, x); // which are all of them
    return;
  }
  for (let start = 0; start < rows.length; start += atOnce) {
    const chosen = rows.slice(start, start + atOnce);
    yield tidy(() => logits(model, rowsOf(x, chosen)));
  }
}

/** A copy of some rows of `x`. */
export function rowsOf<N extends number>(x: Tensor<[number, N]>, rows: readonly number[]): Tensor<[number, N]> {
  return tidy(() => {
    const index = fromData(rows, [dim("rows", rows.length)], { dtype: "int32", device: x.device });
    return embedding(x, index);
  });
}
