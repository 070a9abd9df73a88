import { empty, keep, type Tensor, tidy } from "@gpt2-ts/tensor";
import type { D, H, Model } from "./model.ts";

/** Keys and values of one layer for the positions seen so far, `[length, H, D]` each. */
export interface Past {
  readonly key: Tensor<[number, H, D]>;
  readonly value: Tensor<[number, H, D]>;
}

/**
 * The keys and values of a sequence's tokens, for every layer, so that a pass over the next tokens does not repeat them. Memory
 * for `capacity` positions, 2 · n_layer · capacity · C floats, is reserved at once but not written to: most systems only count
 * the positions that are used.
 */
export class KVCache {
  /** Positions there is room for. */
  readonly capacity: number;
  readonly #layers: readonly Past[];
  #length = 0;

  /** Throws a RangeError unless `capacity` is an integer in 1..n_positions (the default). */
  constructor(model: Model, capacity: number = model.config.nPositions) {
    const { nLayer, nPositions } = model.config;
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > nPositions) {
      throw new RangeError(`KV cache: expected a capacity of 1 to ${nPositions} positions, got ${capacity}`);
    }
    this.capacity = capacity;
    const { H, D } = model.sizes;
    const { device } = model.weights.wte;
    // The rows of a head are contiguous, because processors prefetch what is read in order.
    const buffer = (): Past["key"] => keep(tidy(() => empty([H, capacity, D], { device }).transpose(0, 1)));
    this.#layers = Array.from({ length: nLayer }, () => ({ key: buffer(), value: buffer() }));
  }

  /** Positions in the cache. */
  get length(): number {
    return this.#length;
  }

  /** Keys and values of the past in layer `layer`; undefined if there are none. */
  past(layer: number): Past | undefined {
    if (this.#length === 0) return undefined;
    const { key, value } = this.#layers[layer]!;
    return { key: key.slice(0, 0, this.#length), value: value.slice(0, 0, this.#length) };
  }

  /** Writes new rows behind the past of one layer. They count once {@link KVCache.advance} is called. */
  write(layer: number, key: Past["key"], value: Past["value"]): void {
    const { key: keys, value: values } = this.#layers[layer]!;
    const end = this.#length + key.shape[0];
    keys.slice(0, this.#length, end).copy_(key);
    values.slice(0, this.#length, end).copy_(value);
  }

  /** Makes `count` positions, written to every layer, part of the past. */
  advance(count: number): void {
    this.#length += count;
  }

  /** Forgets all positions from `length` on. Throws a RangeError if there are fewer. */
  truncate(length: number): void {
    if (!Number.isInteger(length) || length < 0 || length > this.#length) {
      throw new RangeError(`KV cache: cannot truncate ${this.#length} positions to ${length}`);
    }
    this.#length = length;
  }

  dispose(): void {
    for (const { key, value } of this.#layers) {
      key.dispose();
      value.dispose();
    }
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
