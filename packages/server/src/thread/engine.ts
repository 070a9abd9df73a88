import { cacheBytesPerToken, type GeneratedSequence, type GPT2, resolveOptions, Scheduler } from "@gpt2-ts/gpt2";
import { ChoiceOutput } from "./choice-output.ts";
import { type ChoiceEvent, type Load, type Reply, sentError, type ThreadLimits, type Work } from "./protocol.ts";

/** A text that is read or continued. */
interface ActiveText {
  readonly index: number;
  readonly sequence: GeneratedSequence;
  readonly output: ChoiceOutput;
}

/** A request, and how far it is. */
interface Job {
  readonly id: number;
  readonly work: Work;
  /** Texts that were begun: the next one's place. */
  begun: number;
  readonly active: Set<ActiveText>;
}

/**
 * Carries out requests together, in one packed pass after the other. Room is given to requests in turn, so that one with many
 * prompts does not keep others waiting: the next text is always one of the request that has the fewest under way.
 */
export class Engine {
  readonly #model: GPT2;
  readonly #maxConcurrent: number;
  readonly #maxPositions: number;
  readonly #bytesPerPosition: number;
  readonly #scheduler: Scheduler;
  readonly #send: (reply: Reply) => void;
  /** In the order in which they came, or were given room last. */
  readonly #jobs = new Map<number, Job>();
  #working = false;

  constructor(model: GPT2, limits: ThreadLimits, send: (reply: Reply) => void) {
    const { config, cacheDtype } = model.model;
    this.#model = model;
    this.#send = send;
    this.#maxConcurrent = limits.maxConcurrent;
    this.#bytesPerPosition = cacheBytesPerToken(config, cacheDtype);
    this.#maxPositions = limits.maxCacheBytes / this.#bytesPerPosition;
    this.#scheduler = new Scheduler(model.model, limits);
  }

  /** Bytes of a KV cache for each token that a text may have. */
  get cacheBytesPerToken(): number {
    return this.#bytesPerPosition;
  }

  begin(id: number, work: Work): void {
    this.#jobs.set(id, { id, work, begun: 0, active: new Set() });
    if (!this.#working) void this.#workOff();
  }

  /** Nothing more is told of a request, and its texts leave the passes at once. */
  cancel(id: number): void {
    const job = this.#jobs.get(id);
    if (!job) return;
    this.#jobs.delete(id);
    for (const { sequence } of job.active) this.#scheduler.cancel(sequence);
  }

  async #workOff(): Promise<void> {
    this.#working = true;
    while (this.#jobs.size > 0) {
      this.#admit();
      try {
        await this.#scheduler.step();
      } catch (error) {
        for (const id of [...this.#jobs.keys()]) this.#fail(id, error);
      }
      this.#report();
    }
    this.#working = false;
  }

  /** Begins texts, as many as there is room for. Those that a large one waits for do not overtake it again. */
  #admit(): void {
    const active = [...this.#jobs.values()].flatMap((job) => [...job.active]);
    let count = active.length;
    let positions = active.reduce((sum, { sequence }) => sum + sequence.longest, 0);
    for (let job = this.#nextJob(); job; job = this.#nextJob()) {
      const needed = this.#positionsOf(job);
      const fits = count < this.#maxConcurrent && positions + needed <= this.#maxPositions;
      if (count > 0 && !fits) return;
      if (this.#start(job)) {
        count++;
        positions += needed;
      }
    }
  }

  /** Of the requests with texts left to begin, the one that has the fewest under way; of several, who has waited longest. */
  #nextJob(): Job | undefined {
    const begun = [...this.#jobs.values()].filter((job) => job.begun > 0).length;
    let next: Job | undefined;
    for (const job of this.#jobs.values()) {
      if (job.begun === textsOf(job.work)) continue;
      // What requests have in memory while they are answered is bounded by their number.
      if (job.begun === 0 && begun >= this.#maxConcurrent) continue;
      if (!next || job.active.size < next.active.size) next = job;
    }
    return next;
  }

  #positionsOf({ work, begun }: Job): number {
    const prompt = work.prompts[Math.floor(begun / work.samples)]!;
    return Math.min(this.#model.config.nPositions, prompt.length + Math.max(work.maxTokens, 1));
  }

  /** Begins the next of a request's texts. Returns whether it could. */
  #start(job: Job): boolean {
    const { id, work } = job;
    const { samples, seed, maxTokens, stop, sampling, logprobs, promptLogprobs, top } = work;
    const index = job.begun++;
    if (index === 0) this.#send({ type: "begun", id });
    this.#jobs.delete(id); // and to the end
    this.#jobs.set(id, job);
    try {
      const { model, tokenizer } = this.#model;
      const given = {
        ...sampling,
        seed: seed + (index % samples),
        maxTokens: Math.max(maxTokens, 1),
        stop,
        logprobs,
        promptLogprobs,
        ...(top > 0 && { top }),
      };
      const prompt = work.prompts[Math.floor(index / samples)]!;
      const options = resolveOptions(model, tokenizer, prompt, given, {});
      const output = new ChoiceOutput(tokenizer, options, {
        onPrompt: () => {
          if (maxTokens === 0) sequence.end("length");
        },
        onFailure: (error) => this.#fail(id, error),
      });
      // The output ends the text itself: with an end token that is asked about like any other.
      const sequence = this.#scheduler.add({ ...options, endTokens: [] }, output);
      job.active.add({ index, sequence, output });
      return true;
    } catch (error) {
      this.#fail(id, error);
      return false;
    }
  }

  /** Tells what came of a pass. */
  #report(): void {
    const events: ChoiceEvent[] = [];
    for (const job of this.#jobs.values()) {
      for (const text of job.active) {
        const event = text.output.take(job.id, text.index);
        if (event) events.push(event);
        if (text.output.ended) job.active.delete(text);
      }
      if (job.active.size === 0 && job.begun === textsOf(job.work)) this.#jobs.delete(job.id);
    }
    this.#send({ type: "pass", events, load: this.#load() });
  }

  #load(): Load {
    const active = [...this.#jobs.values()].flatMap((job) => [...job.active]);
    const positions = active.reduce((sum, { sequence }) => sum + sequence.longest, 0);
    return { texts: active.length, cacheBytes: positions * this.#bytesPerPosition };
  }

  #fail(id: number, error: unknown): void {
    if (!this.#jobs.has(id)) return;
    this.cancel(id);
    this.#send({ type: "failed", id, error: sentError(error) });
  }
}

function textsOf({ prompts, samples }: Work): number {
  return prompts.length * samples;
}
