import type { CpuView, Kernel } from "../backend.ts";
import { drawIndex } from "./math/draw.ts";
import { expInPlace } from "./math/exp.ts";

export interface CategoricalParams {
  /** Divide the logits: one for each row. */
  readonly temperatures: readonly number[];
  /** One for each row, in [0, 1). */
  readonly uniforms: readonly number[];
}

/**
 * Of each row of logits [R, N] the first index at which the running sum of softmax(logits / temperature) exceeds the row's uniform
 * number, → [R]. All in float64. −1 for a row with NaN or without a largest finite number.
 */
export const categoricalKernel: Kernel<CategoricalParams> = (inputs, { temperatures, uniforms }, outputs) => {
  const logits = inputs[0]!;
  const ids = outputs[0]!;
  const [R, N] = logits.shape as [number, number];
  const weights = new Float64Array(N);
  for (let row = 0; row < R; row++) {
    readRow(logits, row, weights);
    ids.data[ids.offset + row * ids.strides[0]!] = drawn(weights, temperatures[row]!, uniforms[row]!);
  }
};

function readRow({ data, offset, strides }: CpuView, row: number, into: Float64Array): void {
  const first = offset + row * strides[0]!;
  for (let j = 0; j < into.length; j++) into[j] = data[first + j * strides[1]!]!;
}

function drawn(logits: Float64Array, temperature: number, uniform: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > largest) largest = logit;
  for (let j = 0; j < logits.length; j++) logits[j] = (logits[j]! - largest) / temperature;
  expInPlace(logits);
  let total = 0;
  for (const weight of logits) total += weight;
  if (!(total > 0)) return -1; // NaN, too
  for (let j = 0; j < logits.length; j++) logits[j]! /= total;
  return drawIndex(logits, uniform);
}
