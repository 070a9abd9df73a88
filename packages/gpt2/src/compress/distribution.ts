import { exp } from "@gpt2-ts/tensor/math";
import { MAX_TOTAL } from "./range-coder.ts";

/**
 * The model's distribution as integers, for the range coder: `sizes[id] / total` is the token's probability, and no token has
 * none. Computed in float64 with functions of our own, so that every engine gets the same integers from the same logits.
 *
 * @param logits `[V]`
 * @throws RangeError for logits that are NaN or infinite
 */
export function integerDistribution(logits: Float32Array): Distribution {
  const { length } = logits;
  let largest = -Infinity;
  for (let id = 0; id < length; id++) largest = Math.max(largest, logits[id]!);
  if (!Number.isFinite(largest)) throw new RangeError(`the model's logits are not finite: the largest is ${largest}`);
  const weights = new Float64Array(length);
  let sum = 0;
  for (let id = 0; id < length; id++) {
    const weight = exp(logits[id]! - largest);
    weights[id] = weight;
    sum += weight;
  }
  const sizes = new Uint32Array(length);
  const scale = (MAX_TOTAL - length) / sum;
  let total = 0;
  for (let id = 0; id < length; id++) {
    const size = 1 + Math.floor(weights[id]! * scale);
    sizes[id] = size;
    total += size;
  }
  return { sizes, total };
}

export interface Distribution {
  readonly sizes: Uint32Array;
  /** The sum of all sizes, at most {@link MAX_TOTAL}. */
  readonly total: number;
}

/** Where a token's part begins. */
export function startOf({ sizes }: Distribution, id: number): number {
  let start = 0;
  for (let before = 0; before < id; before++) start += sizes[before]!;
  return start;
}

/** The token whose part a place in `[0, total)` lies in, and where that begins. */
export function tokenAt({ sizes }: Distribution, place: number): { readonly id: number; readonly start: number } {
  let id = 0;
  let start = 0;
  while (start + sizes[id]! <= place) start += sizes[id++]!;
  return { id, start };
}
