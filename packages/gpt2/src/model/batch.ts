import { dim, fromData, type Segment, type Tensor, type Vectors } from "@gpt2-ts/tensor";
import { ContextLengthError, TokenIdError } from "../errors.ts";
import type { KVCache, Past } from "./kv-cache.ts";
import type { D, H, Model, PassInput, T } from "./model.ts";

/** A sequence of tokens to run the model on. */
export interface Sequence {
  /** The new tokens; what is in `cache` comes before them. */
  readonly ids: ArrayLike<number>;
  readonly cache?: KVCache | undefined;
  /**
   * Whether the new tokens are added to the cache (the default). False is for trying continuations of one prefix side by side:
   * any number of sequences can share a cache that none of them writes to.
   */
  readonly remember?: boolean;
}

/**
 * Sequences packed end to end for one forward pass: their ids and positions, and for the attention where each begins
 * and what came before it. Each row's result is the same, bit for bit, whatever else is in the batch.
 */
export class Batch implements PassInput {
  readonly length: T;
  readonly ids: Tensor<[T], "int32">;
  readonly positions: Tensor<[T], "int32">;
  /** First row of each sequence. */
  readonly starts: readonly number[];
  readonly #sequences: readonly Sequence[];

  /**
   * Throws {@link TokenIdError} for an id outside the vocabulary, {@link ContextLengthError} for a sequence longer than
   * the model's positions or its cache's room, and a RangeError for a batch without tokens.
   */
  constructor(model: Model, sequences: readonly Sequence[]) {
    const { nPositions } = model.config;
    const starts: number[] = [];
    const ids: number[] = [];
    const positions: number[] = [];
    const written = new Set<KVCache>();
    for (const sequence of sequences) {
      const { ids: own, cache } = sequence;
      const past = cache?.length ?? 0;
      if (own.length === 0) throw new RangeError("batch: a sequence without tokens");
      if (past + own.length > nPositions) throw new ContextLengthError(past + own.length, nPositions);
      checkTokenIds(model, own);
      starts.push(ids.length);
      for (let i = 0; i < own.length; i++) {
        ids.push(own[i]!);
        positions.push(past + i);
      }
      if (cache && writes(sequence)) {
        if (past + own.length > cache.capacity) throw new ContextLengthError(past + own.length, cache.capacity);
        if (written.has(cache)) throw new RangeError("batch: two sequences would write to the same KV cache");
        written.add(cache);
      }
    }
    if (ids.length === 0) throw new RangeError("batch: no tokens to run the model on");
    const { device } = model.weights.wte;
    this.length = dim("T", ids.length);
    this.ids = fromData(ids, [this.length], { dtype: "int32", device });
    this.positions = fromData(positions, [this.length], { dtype: "int32", device });
    this.starts = starts;
    this.#sequences = sequences;
  }

  segments(layer: number): Segment<H, D>[] {
    const pasts = new Map<KVCache, Past | undefined>(); // one object for all that share a cache
    return this.#sequences.map(({ ids, cache }, i) => {
      if (cache && !pasts.has(cache)) pasts.set(cache, cache.past(layer));
      return { start: this.starts[i]!, length: ids.length, past: cache && pasts.get(cache) };
    });
  }

  remember(layer: number, key: Vectors<T, H, D>, value: Vectors<T, H, D>): void {
    for (const [i, sequence] of this.#sequences.entries()) {
      if (!sequence.cache || !writes(sequence)) continue;
      const start = this.starts[i]!;
      const end = start + sequence.ids.length;
      sequence.cache.write(layer, rowsOf(key, start, end), rowsOf(value, start, end));
    }
  }

  /** Makes the caches count the rows they were given: call it once, after the pass. */
  commit(): void {
    for (const sequence of this.#sequences) {
      if (sequence.cache && writes(sequence)) sequence.cache.advance(sequence.ids.length);
    }
  }

  dispose(): void {
    this.ids.dispose();
    this.positions.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Throws {@link TokenIdError} for an id outside the vocabulary. */
export function checkTokenIds({ config: { vocabSize } }: Model, ids: ArrayLike<number>): void {
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (!Number.isInteger(id) || id < 0 || id >= vocabSize) throw new TokenIdError(id, i, vocabSize);
  }
}

function rowsOf(vectors: Vectors<T, H, D>, start: number, end: number): Vectors<number, H, D> {
  return (vectors as Tensor<[T, H, number], "float32" | "uint8">).slice(0, start, end) as Vectors<number, H, D>;
}

function writes({ remember }: Sequence): boolean {
  return remember ?? true;
}
