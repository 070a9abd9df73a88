/** Two models on the same tokens, position by position. */
import { Batch, forward, logits, type Model } from "@gpt2-ts/gpt2";
import { yieldToEventLoop } from "@gpt2-ts/tensor/event-loop";
import type { QualityErrors } from "./result.ts";

/** Rows of logits that exist at once: 64 × 50,257 floats are 13 MB. */
const ROWS_AT_ONCE = 64;

/** Sums over positions. */
export class Comparison {
  #positions = 0;
  #predictions = 0;
  #maxError = 0;
  #squares = 0;
  #count = 0;
  #kl = 0;
  #maxKl = 0;
  #agreed = 0;
  #loss = 0;
  #baseLoss = 0;

  /** Adds a position: the logits of float32 and of the other model, and the token that follows, if one does. */
  add(base: Float32Array, other: Float32Array, next: number | undefined): void {
    const [baseNorm, norm] = [logSumExp(base), logSumExp(other)];
    let kl = 0;
    for (let i = 0; i < base.length; i++) {
      const [b, o] = [base[i]!, other[i]!];
      const error = Math.abs(o - b);
      this.#maxError = Math.max(this.#maxError, error);
      this.#squares += error * error;
      kl += Math.exp(b - baseNorm) * (b - baseNorm - (o - norm));
    }
    this.#positions++;
    this.#count += base.length;
    this.#kl += kl;
    this.#maxKl = Math.max(this.#maxKl, kl);
    if (argMax(base) === argMax(other)) this.#agreed++;
    if (next === undefined) return;
    this.#predictions++;
    this.#loss += norm - other[next]!;
    this.#baseLoss += baseNorm - base[next]!;
  }

  summary(): Omit<QualityErrors, "model" | "text" | "dtype" | "cacheDtype"> {
    return {
      positions: this.#positions,
      maxError: this.#maxError,
      rmsError: Math.sqrt(this.#squares / this.#count),
      meanKl: this.#kl / this.#positions,
      maxKl: this.#maxKl,
      top1: this.#agreed / this.#positions,
      perplexity: Math.exp(this.#loss / this.#predictions),
      basePerplexity: Math.exp(this.#baseLoss / this.#predictions),
    };
  }
}

export interface CompareOptions {
  /** Called with the number of tokens that are done. */
  readonly onPosition?: (done: number) => void;
  /** Ends the comparison early: it throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Runs each model on each window of ids and compares all their logits with the first model's. */
export async function compareModels(
  models: readonly [Model, ...Model[]],
  windows: readonly (readonly number[])[],
  { onPosition, signal }: CompareOptions = {},
): Promise<Comparison[]> {
  const [first, ...others] = models;
  const comparisons = others.map(() => new Comparison());
  const V = first.config.vocabSize;
  let done = 0;
  for (const ids of windows) {
    const hidden: ReturnType<typeof forward>[] = [];
    try {
      for (const model of models) {
        await yieldToEventLoop();
        signal?.throwIfAborted();
        using batch = new Batch(model, [{ ids }]);
        hidden.push(forward(model, batch));
      }
      for (let start = 0; start < ids.length; start += ROWS_AT_ONCE) {
        const end = Math.min(start + ROWS_AT_ONCE, ids.length);
        const scores: Float32Array[] = [];
        for (const [i, model] of models.entries()) {
          using rows = hidden[i]!.slice(0, start, end);
          using all = logits(model, rows);
          scores.push((await all.data()).slice());
        }
        for (let row = 0; row < end - start; row++) {
          const [base, ...rest] = scores.map((values) => values.subarray(row * V, (row + 1) * V));
          for (const [i, other] of rest.entries()) comparisons[i]!.add(base!, other, ids[start + row + 1]);
        }
        done += end - start;
        onPosition?.(done);
        await yieldToEventLoop();
        signal?.throwIfAborted();
      }
    } finally {
      for (const x of hidden) x.dispose();
    }
  }
  return comparisons;
}

/** Ids in pieces that fit a context of `length` tokens. What is left at the end is a piece if something follows a token in it. */
export function windowsOf(ids: readonly number[], length: number): number[][] {
  const pieces: number[][] = [];
  for (let start = 0; start < ids.length; start += length) pieces.push(ids.slice(start, start + length));
  return pieces.filter((piece) => piece.length > 1);
}

function logSumExp(row: Float32Array): number {
  const most = row[argMax(row)]!;
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += Math.exp(row[i]! - most);
  return most + Math.log(sum);
}

function argMax(row: Float32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i;
  return best;
}
