import type { Tensor } from "@gpt2-ts/tensor";
import { KVCache } from "../model/kv-cache.ts";
import { type Logprobs, logprobsOf } from "../model/logprobs.ts";
import type { C, Model } from "../model/model.ts";
import type { Sequence } from "./sequence.ts";

/** A prompt that is being read, in one pass or in pieces: once for all sequences that begin with it and wait for it. */
export class Prefill {
  readonly #model: Model;
  readonly #prompt: readonly number[];
  #sequences: readonly Sequence[];
  #cache: KVCache | undefined;
  readonly #logprobs: Logprobs[] = [];

  constructor(model: Model, sequence: Sequence) {
    this.#model = model;
    this.#prompt = sequence.options.prompt;
    this.#sequences = [sequence];
  }

  /** Those that still wait. */
  get sequences(): readonly Sequence[] {
    this.#sequences = this.#sequences.filter(({ ended }) => !ended);
    return this.#sequences;
  }

  /** Takes a sequence along if it asks for the same. */
  join(sequence: Sequence): boolean {
    const [{ options, wantsPromptLogprobs }] = this.#sequences as [Sequence];
    const { prompt, top } = sequence.options;
    const same =
      prompt.length === this.#prompt.length &&
      sequence.wantsPromptLogprobs === wantsPromptLogprobs &&
      (top === options.top || !wantsPromptLogprobs) &&
      prompt.every((id, i) => id === this.#prompt[i]);
    if (same) this.#sequences = [...this.#sequences, sequence];
    return same;
  }

  /** Up to `most` of the tokens that are still to be read, and the cache that they go into. */
  next(most: number): { readonly ids: readonly number[]; readonly cache: KVCache } {
    this.#cache ??= new KVCache(this.#model, this.sequences[0]!.longest);
    const start = this.#cache.length;
    return { ids: this.#prompt.slice(start, start + most), cache: this.#cache };
  }

  /** Whether all of the prompt was read. */
  get done(): boolean {
    return this.#cache?.length === this.#prompt.length;
  }

  /** Keeps the log-probabilities of what a pass has read, `count` tokens from row `first` of its output on; if they are wanted. */
  async scored(x: Tensor<[number, C]>, first: number, count: number, signal: AbortSignal): Promise<void> {
    const [sequence] = this.sequences;
    if (!sequence?.wantsPromptLogprobs) return;
    const start = this.#cache!.length - count;
    const targets = this.#prompt.slice(start + 1, start + count + 1);
    const rows = targets.map((_, i) => first + i);
    this.#logprobs.push(await logprobsOf(this.#model, x, { rows, targets, top: sequence.top }, signal));
  }

  /** Gives each sequence a cache that holds the prompt, and what they asked for: the first that it fits this one's, others a copy. */
  async handOver(pause: () => Promise<void>): Promise<void> {
    const cache = this.#cache!;
    const heir = this.sequences.find(({ longest }) => longest === cache.capacity);
    const logprobs = joined(this.#logprobs);
    for (const sequence of this.sequences) {
      if (sequence.wantsPromptLogprobs) sequence.promptRead(logprobs);
      if (sequence === heir) continue;
      await pause();
      sequence.cache = new KVCache(this.#model, sequence.longest);
      sequence.cache.append(cache);
    }
    if (!heir) return;
    heir.cache = cache;
    this.#cache = undefined;
  }

  dispose(): void {
    this.#cache?.dispose();
    this.#cache = undefined;
  }
}

function joined(parts: readonly Logprobs[]): Logprobs {
  const count = Math.max(0, ...parts.map(({ top }) => top.count));
  return {
    targets: Float32Array.from(parts.flatMap(({ targets }) => [...targets])),
    top: {
      count,
      ids: Int32Array.from(parts.flatMap(({ top }) => [...top.ids])),
      logprobs: Float32Array.from(parts.flatMap(({ top }) => [...top.logprobs])),
    },
  };
}
