import { type Tensor, tidy } from "@gpt2-ts/tensor";
import { logitsOfRows, rowsOf, TOKENS_PER_PASS } from "../model/advance.ts";
import { Batch } from "../model/batch.ts";
import { cacheBytesPerToken, type KVCache } from "../model/kv-cache.ts";
import { type C, forwardInSteps, type Model, type V } from "../model/model.ts";
import { nextTurn, pauses, withPauses } from "../model/pauses.ts";
import { drawRows } from "./next-token.ts";
import { Prefill } from "./prefill.ts";
import { Sequence, type SequenceOptions, type SequenceOutput } from "./sequence.ts";

/** How much is done at once. */
export interface SchedulerLimits {
  /** Sequences that are advanced together; others wait. Default 16. */
  readonly maxConcurrent?: number | undefined;
  /** Bytes of the KV caches of those that are advanced; others wait. One sequence always fits. Default 1 GiB. */
  readonly maxCacheBytes?: number | undefined;
  /** Tokens of prompts in a pass, when sequences that are being generated have had theirs. Default 256. */
  readonly tokensPerPass?: number | undefined;
}

const MAX_CONCURRENT = 16;
const MAX_CACHE_BYTES = 2 ** 30;
/** Tokens of prompts that a pass takes along however many others it has, so that a prompt is read at last. */
const LEAST_OF_PROMPTS = 16;

/** One of a pass's sequences: a prompt that is read, or a text that is generated. */
type Part =
  | { readonly ids: readonly number[]; readonly cache: KVCache; readonly prefill: Prefill }
  | { readonly ids: readonly number[]; readonly cache: KVCache; readonly sequence: Sequence };

/** A row of a pass's output, whose logits say how these texts go on: if they are so long and end so. With a wrong guess they do not. */
interface Draw {
  readonly row: number;
  readonly sequences: readonly Sequence[];
  readonly length: number;
  readonly last: number;
}

/**
 * Generates many texts together: each step is one packed pass, which takes every text one token further and reads prompts of new
 * ones, long ones in pieces. Texts can be added and cancelled between and during steps. Each is the same, bit for bit, as if
 * generated alone (on gpu the last bits may differ).
 *
 *     const scheduler = new Scheduler(model);
 *     scheduler.add({ prompt, seed: 1, maxTokens: 20 }, output);
 *     while (scheduler.busy) await scheduler.step();
 *
 * Who comes first is read first: a text that has no room yet keeps those after it waiting.
 */
export class Scheduler {
  readonly #model: Model;
  readonly #maxConcurrent: number;
  readonly #maxPositions: number;
  readonly #tokensPerPass: number;
  #waiting: Sequence[] = [];
  #prefills: Prefill[] = [];
  #generating: Sequence[] = [];
  #pass: { readonly sequences: readonly Sequence[]; readonly controller: AbortController } | undefined;

  constructor(model: Model, limits: SchedulerLimits = {}) {
    const { maxConcurrent = MAX_CONCURRENT, maxCacheBytes = MAX_CACHE_BYTES, tokensPerPass = TOKENS_PER_PASS } = limits;
    const { config, cacheDtype } = model;
    this.#model = model;
    this.#maxConcurrent = maxConcurrent;
    this.#maxPositions = maxCacheBytes / cacheBytesPerToken(config, cacheDtype);
    this.#tokensPerPass = tokensPerPass;
  }

  /** Whether there is something to do. */
  get busy(): boolean {
    return this.#active.length > 0 || this.#waiting.length > 0;
  }

  /**
   * Adds a text, which is begun as soon as there is room.
   *
   * @param options were checked: see checkGenerateOptions
   * @throws ContextLengthError, TokenIdError
   */
  add(options: SequenceOptions, output: SequenceOutput): Sequence {
    const sequence = new Sequence(this.#model, options, output);
    this.#waiting.push(sequence);
    return sequence;
  }

  /** Ends a text ("aborted"), in the middle of a step too. If no other is in the pass, the pass is given up. */
  cancel(sequence: Sequence): void {
    sequence.end("aborted");
    this.#release();
  }

  /**
   * One pass. An error in it ends the texts that were part of it, and no others. Steps do not overlap: await one before the next.
   */
  async step(): Promise<void> {
    await nextTurn();
    this.#sweep();
    this.#admit();
    const parts = this.#parts();
    if (parts.length === 0) return;
    const sequences = parts.flatMap((part) => ("prefill" in part ? part.prefill.sequences : [part.sequence]));
    const controller = new AbortController();
    this.#pass = { sequences, controller };
    try {
      await this.#run(parts, controller.signal);
    } catch (error) {
      for (const sequence of sequences) sequence.fail(error);
    } finally {
      this.#pass = undefined;
      for (const sequence of sequences) if (sequence.ended) sequence.dispose();
      this.#sweep();
    }
  }

  /** Ends all texts that have not ended ("aborted"). */
  dispose(): void {
    for (const sequence of [...this.#active, ...this.#waiting]) sequence.end("aborted");
    this.#release();
  }

  /** Gives up what only ended texts needed. A pass still uses their caches. */
  #release(): void {
    if (!this.#pass) this.#sweep();
    else if (this.#pass.sequences.every(({ ended }) => ended)) this.#pass.controller.abort();
  }

  /** Those that have caches, or will get them with the next pass. */
  get #active(): Sequence[] {
    return [...this.#prefills.flatMap(({ sequences }) => sequences), ...this.#generating];
  }

  /** Lets waiting texts begin, as many as there is room for. */
  #admit(): void {
    const active = this.#active;
    let positions = active.reduce((sum, { longest }) => sum + longest, 0);
    let count = active.length;
    while (this.#waiting.length > 0) {
      const [next] = this.#waiting as [Sequence];
      const fits = count < this.#maxConcurrent && positions + next.longest <= this.#maxPositions;
      if (count > 0 && !fits) return;
      this.#waiting.shift();
      if (!this.#prefills.some((prefill) => prefill.join(next))) this.#prefills.push(new Prefill(this.#model, next));
      positions += next.longest;
      count++;
    }
  }

  #parts(): Part[] {
    const parts: Part[] = this.#generating.map((sequence) => {
      const { id, draft } = sequence.next();
      return { sequence, ids: [id, ...draft], cache: sequence.cache! };
    });
    const rows = parts.reduce((sum, { ids }) => sum + ids.length, 0);
    let room = Math.max(this.#tokensPerPass - rows, LEAST_OF_PROMPTS);
    for (const prefill of this.#prefills) {
      if (room <= 0) break;
      try {
        const next = prefill.next(room);
        parts.push({ prefill, ...next });
        room -= next.ids.length;
      } catch (error) {
        for (const sequence of prefill.sequences) sequence.fail(error); // there is no memory for its cache
      }
    }
    return parts;
  }

  async #run(parts: readonly Part[], signal: AbortSignal): Promise<void> {
    using batch = new Batch(this.#model, parts);
    using x = await withPauses(forwardInSteps(this.#model, batch), signal);
    batch.commit();
    const pause = pauses(signal);
    const draws: Draw[] = [];
    for (const [i, part] of parts.entries()) {
      const first = batch.starts[i]!;
      if ("sequence" in part) {
        const { sequence } = part;
        const length = sequence.length;
        draws.push(...part.ids.map((last, j) => ({ row: first + j, sequences: [sequence], length: length + j, last })));
        continue;
      }
      const { ids, prefill } = part;
      await prefill.scored(x, first, ids.length, signal);
      if (!prefill.done) continue;
      await prefill.handOver(pause);
      this.#prefills = this.#prefills.filter((other) => other !== prefill);
      prefill.dispose();
      this.#generating.push(...prefill.sequences);
      draws.push({
        row: first + ids.length - 1,
        sequences: prefill.sequences,
        length: part.cache.length,
        last: ids.at(-1)!,
      });
    }
    await this.#draw(x, draws, pause);
    for (const { cache, length, ended } of this.#generating) if (!ended) cache!.truncate(length - 1); // without wrong guesses
  }

  async #draw(x: Tensor<[number, C]>, draws: readonly Draw[], pause: () => Promise<void>): Promise<void> {
    const rows = draws.map(({ row }) => row);
    let done = 0;
    for (const some of logitsOfRows(this.#model, x, rows)) {
      using logits = some;
      const drawn = await this.#drawTogether(logits, draws.slice(done, done + logits.shape[0]));
      for (let i = 0; i < logits.shape[0]; i++, done++) {
        const { sequences, length, last } = draws[done]!;
        for (const sequence of sequences) {
          if (sequence.ended || !sequence.isAt(length, last)) continue;
          using row = logits.slice(0, i, i + 1) as Tensor<[1, V]>;
          await sequence.draw(row, drawn.get(sequence));
          await pause();
        }
      }
    }
  }

  /** Draws what temperature alone decides at once, on all threads: for rows of one text that are no guesses. */
  async #drawTogether(logits: Tensor<[number, V]>, draws: readonly Draw[]): Promise<Map<Sequence, number>> {
    const some = draws.flatMap(({ sequences: [sequence, ...others], length, last }, row) => {
      if (!sequence || others.length > 0 || sequence.ended || !sequence.isAt(length, last)) return [];
      const by = sequence.byTemperature(logits);
      return by ? [{ row, sequence, by }] : [];
    });
    if (some.length < 2) return new Map();
    const rows = some.map(({ row }) => row);
    const by = some.map((each) => each.by);
    using chosen = tidy(() => (rows.length === logits.shape[0] ? logits.slice(0, 0) : rowsOf(logits, rows)));
    const ids = await drawRows(chosen, by);
    return new Map(some.map(({ sequence }, i) => [sequence, ids[i]!]));
  }

  /** Frees what ended texts had. */
  #sweep(): void {
    this.#waiting = this.#waiting.filter(({ ended }) => !ended);
    for (const sequence of this.#generating) if (sequence.ended) sequence.dispose();
    this.#generating = this.#generating.filter(({ ended }) => !ended);
    for (const prefill of this.#prefills) if (prefill.sequences.length === 0) prefill.dispose();
    this.#prefills = this.#prefills.filter(({ sequences }) => sequences.length > 0);
  }
}
