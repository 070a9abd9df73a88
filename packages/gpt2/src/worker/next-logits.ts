import type { Context } from "../generate/context.ts";
import type { GPT2 } from "../gpt2.ts";
import type { Text } from "../language-model.ts";
import { idsOf } from "../text-ids.ts";

/** A text that was read, for the next one that begins like it. */
interface Reading {
  readonly context: Context;
  /** Settled when nobody uses it. */
  free: Promise<unknown>;
}

const latest = new WeakMap<GPT2, Reading>();

/** The logits `[V]` of what may follow a text. What it has in common with the text before is not read again. */
export async function nextLogits(
  model: GPT2,
  text: Text,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<Float32Array> {
  const ids = idsOf("nextLogits", model.tokenizer, text);
  const reading = latest.get(model) ?? { context: model.context(), free: Promise.resolve() };
  latest.set(model, reading);
  const turn = reading.free.then(async () => {
    signal?.throwIfAborted();
    const { context } = reading;
    const shared = sharedLength(context.ids, ids);
    context.truncate(Math.max(0, Math.min(shared, ids.length - 1))); // the last token's pass is the one that answers
    return context.append(ids.slice(context.length), { signal });
  });
  reading.free = turn.catch(() => {});
  return turn;
}

/** Forgets what was read: the model computes something else from now on. */
export function forgetReading(model: GPT2): void {
  const reading = latest.get(model);
  latest.delete(model);
  void reading?.free.then(() => reading.context.dispose());
}

function sharedLength(one: readonly number[], other: readonly number[]): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return length;
}
