/** The passes whose numbers are compared: a prompt at once, and token by token with the cache. */
import { createHash } from "node:crypto";
import { Batch, forward, hiddenStates, KVCache, logits, type Model } from "@gpt2-ts/gpt2";
import type { ReferencePrompt } from "../reference-values.ts";

/** Rows of logits that exist at once: 64 × 50,257 floats are 13 MB. */
const ROWS_AT_ONCE = 64;

export interface PassValues {
  /** At the prompt's kept positions, [positions, V]. */
  readonly logits: Float32Array;
  /** Of each token given those before it, [T - 1], in float64 from the float32 logits. */
  readonly logprobs: Float64Array;
  /** The residual stream after each block, [T, C] each; only where the reference keeps it. */
  readonly hidden: readonly Float32Array[];
  /** SHA-256 of every logit of the pass: equal exactly when all bits are. */
  readonly digest: string;
}

/** All tokens in one pass. */
export async function prefill(model: Model, prompt: ReferencePrompt): Promise<PassValues> {
  const { ids } = prompt;
  using batch = new Batch(model, [{ ids }]);
  const { blocks, final } = prompt.hidden
    ? hiddenStates(model, Array.from(ids))
    : { blocks: [], final: forward(model, batch) };
  using x = final;
  const hidden = blocks.map((block) => block.dataSync());
  for (const block of blocks) block.dispose();
  const collector = new Collector(prompt, model.config.vocabSize);
  for (let start = 0; start < ids.length; start += ROWS_AT_ONCE) {
    using rows = x.slice(0, start, Math.min(start + ROWS_AT_ONCE, ids.length));
    using scores = logits(model, rows);
    collector.add(start, await scores.data());
  }
  return { ...collector.values(), hidden };
}

/** One token at a time, each behind the cache of those before it. */
export async function decode(model: Model, prompt: ReferencePrompt): Promise<PassValues> {
  using cache = new KVCache(model, prompt.ids.length);
  const collector = new Collector(prompt, model.config.vocabSize);
  for (const [position, id] of prompt.ids.entries()) {
    using batch = new Batch(model, [{ ids: [id], cache }]);
    using x = forward(model, batch);
    using scores = logits(model, x);
    batch.commit();
    collector.add(position, await scores.data());
  }
  return { ...collector.values(), hidden: [] };
}

/** The prompts packed into one batch; a digest for each, as if from its own pass. */
export async function packedDigests(model: Model, prompts: readonly ReferencePrompt[]): Promise<string[]> {
  using batch = new Batch(model, prompts);
  using x = forward(model, batch);
  const digests: string[] = [];
  for (const [i, prompt] of prompts.entries()) {
    const first = batch.starts[i] ?? 0;
    const collector = new Collector(prompt, model.config.vocabSize);
    for (let start = 0; start < prompt.ids.length; start += ROWS_AT_ONCE) {
      const end = Math.min(start + ROWS_AT_ONCE, prompt.ids.length);
      using rows = x.slice(0, first + start, first + end);
      using scores = logits(model, rows);
      collector.add(start, await scores.data());
    }
    digests.push(collector.values().digest);
  }
  return digests;
}

/** Takes rows of logits as they come and keeps what is compared. */
class Collector {
  readonly #prompt: ReferencePrompt;
  readonly #vocab: number;
  readonly #kept: Float32Array;
  readonly #logprobs: Float64Array;
  readonly #hash = createHash("sha256");

  constructor(prompt: ReferencePrompt, vocab: number) {
    this.#prompt = prompt;
    this.#vocab = vocab;
    this.#kept = new Float32Array(prompt.positions.length * vocab);
    this.#logprobs = new Float64Array(prompt.ids.length - 1);
  }

  /** The logits of the positions from `first` on. */
  add(first: number, rows: Float32Array): void {
    const V = this.#vocab;
    this.#hash.update(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength));
    for (let position = first; position < first + rows.length / V; position++) {
      const row = rows.subarray((position - first) * V, (position - first + 1) * V);
      const kept = this.#prompt.positions.indexOf(position);
      if (kept >= 0) this.#kept.set(row, kept * V);
      const next = this.#prompt.ids[position + 1];
      if (next !== undefined) this.#logprobs[position] = logProbability(row, next);
    }
  }

  values(): Omit<PassValues, "hidden"> {
    return { logits: this.#kept, logprobs: this.#logprobs, digest: this.#hash.copy().digest("hex") };
  }
}

function logProbability(row: Float32Array, id: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const logit of row) largest = Math.max(largest, logit);
  let sum = 0;
  for (const logit of row) sum += Math.exp(logit - largest);
  return (row[id] ?? Number.NaN) - largest - Math.log(sum);
}
