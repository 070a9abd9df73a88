import { empty, keep, type MatrixEncoding, type Tensor, tidy, type Vectors, vectorBytes } from "@gpt2-ts/tensor";
import type { GPT2Config } from "./config.ts";
import type { D, H, Model } from "./model.ts";

/** Keys and values of one layer for the positions seen so far, `[length, H, D]` each, as the model's `cacheDtype` has them. */
export interface Past {
  readonly key: Vectors<number, H, D>;
  readonly value: Vectors<number, H, D>;
}

/** Room for the keys or values of one layer, `[capacity, H, D]`: numbers, or bytes. */
type Buffer = Tensor<[number, H, number], "float32" | "uint8">;

/** Bytes of a token's keys and values in all layers. */
export function cacheBytesPerToken({ nLayer, nHead, nEmbd }: GPT2Config, cacheDtype: MatrixEncoding): number {
  return 2 * nLayer * nHead * vectorBytes(cacheDtype, nEmbd / nHead);
}

/**
 * The keys and values of a sequence's tokens, for every layer, so that a pass over the next tokens does not repeat them. Memory
 * for `capacity` positions ({@link cacheBytesPerToken} each) is reserved at once but not written to: most systems only count
 * the positions that are used.
 */
export class KVCache {
  /** Positions there is room for. */
  readonly capacity: number;
  readonly #layers: readonly { readonly key: Buffer; readonly value: Buffer }[];
  #length = 0;

  /** Throws a RangeError unless `capacity` is an integer in 1..n_positions (the default). */
  constructor(model: Model, capacity: number = model.config.nPositions) {
    const { nLayer, nPositions } = model.config;
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > nPositions) {
      throw new RangeError(`KV cache: expected a capacity of 1 to ${nPositions} positions, got ${capacity}`);
    }
    this.capacity = capacity;
    const { H, D } = model.sizes;
    const { cacheDtype } = model;
    const { device } = model.weights.wte;
    const [dtype, length] =
      cacheDtype === "f32" ? (["float32", D] as const) : (["uint8", vectorBytes(cacheDtype, D)] as const);
    // The rows of a head are contiguous, because processors prefetch what is read in order.
    const layers: { key: Buffer; value: Buffer }[] = [];
    // In a tidy that fails, nothing is left of the layers that there was memory for.
    tidy(() => {
      const buffer = (): Buffer => tidy(() => empty([H, capacity, length], { dtype, device }).transpose(0, 1));
      for (let layer = 0; layer < nLayer; layer++) layers.push({ key: buffer(), value: buffer() });
      for (const { key, value } of layers) {
        keep(key);
        keep(value);
      }
    });
    this.#layers = layers;
  }

  /** Positions in the cache. */
  get length(): number {
    return this.#length;
  }

  /** Keys and values of the past in layer `layer`; undefined if there are none. */
  past(layer: number): Past | undefined {
    if (this.#length === 0) return undefined;
    const { key, value } = this.#layers[layer]!;
    const past = { key: key.slice(0, 0, this.#length), value: value.slice(0, 0, this.#length) };
    return past as Past; // the constructor has chosen which of both it is
  }

  /** Writes new rows behind the past of one layer. They count once {@link KVCache.advance} is called. */
  write(layer: number, key: Past["key"], value: Past["value"]): void {
    const { key: keys, value: values } = this.#layers[layer]!;
    const end = this.#length + key.shape[0];
    keys.slice(0, this.#length, end).copy_(key as Buffer);
    values.slice(0, this.#length, end).copy_(value as Buffer);
  }

  /** Adds all positions of another cache of the same model. */
  append(other: KVCache): void {
    const count = other.length;
    for (const layer of this.#layers.keys()) {
      tidy(() => {
        const past = other.past(layer);
        if (past) this.write(layer, past.key, past.value);
      });
    }
    this.advance(count);
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
