/** What every engine reads, and how greedy decoding continues. */
import { lowbias32 } from "../synthetic.ts";

/** Token ids that mean nothing: different ones for each `seed`. */
export function promptOf(length: number, vocab: number, seed = 0): Int32Array {
  return Int32Array.from({ length }, (_, i) => lowbias32(i + 1000 * (seed + 1) + length) % vocab);
}

/** The most likely token after the last row of `logits` [rows, vocab]. */
export function argMaxOfLastRow(logits: Float32Array, vocab: number): number {
  const row = logits.subarray(logits.length - vocab);
  let best = 0;
  for (let i = 1; i < vocab; i++) if ((row[i] ?? 0) > (row[best] ?? 0)) best = i;
  return best;
}
