import type { DeviceChoice, Tensor } from "@gpt2-ts/tensor";
import { checkOptionNames, OptionError, showValue } from "@gpt2-ts/tensor/options";
import type { ModelFiles } from "../checkpoint/source/index.ts";
import type { GenerationDefaults } from "../generate/defaults.ts";
import type { GenerateAllOptions } from "../generate/generate.ts";
import type { GenerateOptions } from "../generate/options.ts";
import type { Generation, GenerationEvent } from "../generate/text.ts";
import type { GenerateRequest, LanguageModel, Text } from "../language-model.ts";
import {
  type FromPretrainedOptions,
  type LoadOptions,
  loadOptionNames,
  pretrainedLoadOptionNames,
} from "../load-options.ts";
import type { ContributionOptions, Contributions } from "../look/contributions.ts";
import type { LogitLens, LogitLensOptions } from "../look/lens.ts";
import type { LookOptions } from "../look/pass.ts";
import type { Trace, TraceOptions } from "../look/trace.ts";
import type { GPT2Config } from "../model/config.ts";
import type { HiddenStates } from "../model/inspect.ts";
import type { C, H, T, V } from "../model/model.ts";
import { expectIterable } from "../options.ts";
import { asRequests, expectArray } from "../requests.ts";
import type { Score } from "../score/text.ts";
import type { ScoreOptions } from "../score/tokens.ts";
import { type Tokenizer, type TokenizerContents, tokenizerFromContents } from "../tokenizer/tokenizer.ts";
import { warnOnConsole } from "../warning.ts";
import { Calls } from "./calls.ts";
import type { ModelInfo } from "./info.ts";
import { addParts, type ScorePart } from "./sent-scores.ts";
import { traceOf } from "./sent-trace.ts";
import { startThread } from "./start-thread.ts";
import type { WorkerLike } from "./thread-port.ts";

/** Where the model runs. */
export interface InWorkerOptions {
  /** The device, which the worker makes: by name. */
  readonly device?: DeviceChoice | "gpu" | undefined;
  /**
   * A worker that runs `@gpt2-ts/gpt2/worker/thread`, for bundlers and policies that the one started by default does not suit. It
   * is the model's from now on, and ends with it.
   */
  readonly worker?: WorkerLike | undefined;
}

export interface WorkerLoadOptions extends Omit<LoadOptions, "device">, InWorkerOptions {}

export interface WorkerPretrainedOptions extends Omit<FromPretrainedOptions, "device">, InWorkerOptions {}

/** Options that can be sent to a worker. */
type Unhooked<Options extends LookOptions> = Omit<Options, "hooks">;

/** What a thread tells of the model that it has loaded. */
interface Loaded {
  readonly config: GPT2Config;
  readonly generationDefaults: GenerationDefaults;
  readonly tokenizer: TokenizerContents;
}

/**
 * GPT-2 in a worker: the same methods, options, results and errors as GPT2's, while the calling thread stays free to draw, to answer
 * and to be interrupted.
 *
 *     using model = await GPT2Worker.load("weights/stories");
 *     for await (const piece of model.stream("Once upon a time", { maxTokens: 50, seed: 1 })) process.stdout.write(piece);
 *
 * Calls run side by side, as those of one GPT2 do. If the worker ends while it is needed, its calls throw WorkerError.
 */
export class GPT2Worker implements LanguageModel {
  readonly config: GPT2Config;
  readonly tokenizer: Tokenizer;
  readonly generationDefaults: GenerationDefaults;
  readonly #calls: Calls;

  private constructor(calls: Calls, { config, generationDefaults, tokenizer }: Loaded) {
    this.#calls = calls;
    this.config = config;
    this.generationDefaults = generationDefaults;
    this.tokenizer = tokenizerFromContents(tokenizer);
  }

  /**
   * As GPT2.load, in a worker of its own.
   *
   * @throws WorkerError if it cannot be started, and what GPT2.load throws
   */
  static async load(where: string | URL | ModelFiles, options: WorkerLoadOptions = {}): Promise<GPT2Worker> {
    if (typeof where === "string") return GPT2Worker.#open("load", fromPage(where), options);
    const url = Object.prototype.toString.call(where) === "[object URL]";
    return GPT2Worker.#open(url ? "loadUrl" : "load", url ? String(where) : where, options);
  }

  /**
   * As GPT2.fromPretrained, in a worker of its own.
   *
   * @throws WorkerError if it cannot be started, and what GPT2.fromPretrained throws
   */
  static async fromPretrained(name: string, options: WorkerPretrainedOptions = {}): Promise<GPT2Worker> {
    return GPT2Worker.#open("fromPretrained", name, options);
  }

  static async #open(method: string, subject: unknown, options: WorkerLoadOptions | WorkerPretrainedOptions) {
    const known = method === "fromPretrained" ? pretrainedLoadOptionNames : loadOptionNames;
    checkOptionNames(options, [...known, "worker"]);
    const { worker, onWarning = warnOnConsole, ...others } = options;
    if (typeof others.device === "object") {
      throw new OptionError("device", `expected its name, as the worker makes it, got ${showValue(others.device)}`);
    }
    const calls = new Calls(worker ?? startThread());
    try {
      const loaded = await calls.result(method, subject, { ...others, onWarning });
      return new GPT2Worker(calls, loaded as Loaded);
    } catch (error) {
      if (options.signal?.aborted) calls.endAfterLatest();
      else calls.end();
      throw error;
    }
  }

  /** As GPT2's. The worker is at most two pieces ahead of the reader. */
  stream(prompt: Text, options: GenerateOptions = {}): AsyncGenerator<string, Generation> {
    return this.#items<string, Generation>("stream", sendable("generate", prompt), options);
  }

  /** As GPT2's. The worker is at most two events ahead of the reader. */
  events(prompt: Text, options: GenerateOptions = {}): AsyncGenerator<GenerationEvent, Generation> {
    return this.#items<GenerationEvent, Generation>("events", sendable("generate", prompt), options);
  }

  async *#items<Item, Result>(
    method: string,
    subject: string | readonly number[],
    options: object,
  ): AsyncGenerator<Item, Result> {
    const call = await this.#calls.begin(method, { subject }, options);
    try {
      while (true) {
        const { done, value } = await call.next();
        if (done) return value as Result;
        yield value as Item;
      }
    } finally {
      call.stop();
    }
  }

  async generate(prompt: Text, options: GenerateOptions = {}): Promise<Generation> {
    return (await this.#calls.result("generate", sendable("generate", prompt), options)) as Generation;
  }

  async generateAll(
    prompts: readonly (Text | GenerateRequest)[],
    options: GenerateAllOptions = {},
  ): Promise<Generation[]> {
    const generations: Generation[] = [];
    for await (const each of this.#together<Generation>("generateAll", prompts, options)) generations.push(each);
    return generations;
  }

  /** As GPT2's. The worker is at most two passes ahead of the reader. */
  async *eventsAll(
    prompts: readonly (Text | GenerateRequest)[],
    options: GenerateAllOptions = {},
  ): AsyncGenerator<GenerationEvent, Generation[]> {
    const generations: Generation[] = [];
    const passes = this.#together<readonly GenerationEvent[]>("eventsAll", prompts, options);
    for await (const events of passes) {
      for (const event of events) {
        options.signal?.throwIfAborted();
        if (event.type === "end") generations[event.index] = event.generation;
        yield event;
      }
    }
    return generations;
  }

  /** What a method of several prompts yields there. */
  async *#together<Item>(
    method: string,
    prompts: readonly (Text | GenerateRequest)[],
    options: GenerateAllOptions,
  ): AsyncGenerator<Item, void> {
    const requests = asRequests(method, prompts);
    const subjects = requests.map(({ signal, prompt, ...others }) => {
      return { ...others, prompt: sendable(method, prompt), ...(signal && { signal: true }) };
    });
    const call = await this.#calls.begin(method, { subjects }, options);
    const listening = requests.map(({ signal }, index) => {
      const abort = (): void => call.abort(index);
      if (signal?.aborted) abort();
      signal?.addEventListener("abort", abort);
      return () => signal?.removeEventListener("abort", abort);
    });
    try {
      for (let step = await call.next(); !step.done; step = await call.next()) yield step.value as Item;
    } finally {
      for (const stop of listening) stop();
      call.stop();
    }
  }

  async score(text: Text, options: ScoreOptions = {}): Promise<Score> {
    const [score] = await this.#scores([sendable("score", text)], options);
    return score!;
  }

  async scoreAll(texts: readonly Text[], options: ScoreOptions = {}): Promise<Score[]> {
    expectArray("scoreAll", "texts", texts, "score");
    return this.#scores(
      texts.map((text: Text) => sendable("scoreAll", text)),
      options,
    );
  }

  async #scores(texts: readonly (string | readonly number[])[], options: ScoreOptions): Promise<Score[]> {
    const call = await this.#calls.begin("scoreAll", { subjects: texts }, options);
    const scores: Score[] = [];
    for (let step = await call.next(); !step.done; step = await call.next()) {
      addParts(scores, step.value as ScorePart[]);
    }
    return scores;
  }

  /** As GPT2's, on the reference device of the calling thread; `to("wasm")` moves them. The caller disposes of them. */
  async logits(text: Text): Promise<Tensor<[number, V]>> {
    const [logits] = await this.#tensors("logits", text);
    return logits as Tensor<[number, V]>;
  }

  /** As GPT2's, on the reference device of the calling thread. The caller disposes of them. */
  async hiddenStates(text: Text): Promise<HiddenStates> {
    const blocks = (await this.#tensors("hiddenStates", text)) as Tensor<[T, C]>[];
    const final = blocks.pop()!;
    return { blocks, final };
  }

  /** As GPT2's, on the reference device of the calling thread. The caller disposes of them. */
  async attentionMaps(text: Text): Promise<Tensor<[H, T, number]>[]> {
    return (await this.#tensors("attentionMaps", text)) as Tensor<[H, T, number]>[];
  }

  async #tensors(method: string, text: Text): Promise<Tensor[]> {
    const call = await this.#calls.begin(method, { subject: sendable(method, text) }, {});
    try {
      // Pages that need no tensors do without the library. It is a file of ours that is loaded later: of a package that is, bundlers put
      // all that is used of it into whatever uses some of it at once.
      const { tensorsOf } = await import("./received-tensors.ts");
      return await tensorsOf(() => call.next());
    } finally {
      call.stop();
    }
  }

  /** As `trace` of `@gpt2-ts/gpt2/look`, without hooks: functions cannot be sent to a worker. */
  async trace(text: Text, options: Unhooked<TraceOptions> = {}): Promise<Trace> {
    const call = await this.#calls.begin("trace", { subject: sendable("trace", text) }, options);
    try {
      return await traceOf(() => call.next());
    } finally {
      call.stop();
    }
  }

  /** As `logitLens` of `@gpt2-ts/gpt2/look`, without hooks. */
  async logitLens(text: Text, options: Unhooked<LogitLensOptions> = {}): Promise<LogitLens> {
    return (await this.#calls.result("logitLens", sendable("logitLens", text), options)) as LogitLens;
  }

  /** As `contributions` of `@gpt2-ts/gpt2/look`, without hooks. */
  async contributions(text: Text, options: Unhooked<ContributionOptions> = {}): Promise<Contributions> {
    return (await this.#calls.result("contributions", sendable("contributions", text), options)) as Contributions;
  }

  /**
   * The logits `[V]` of what may follow a text, as `append` of a Context gives them. What the text has in common with the one that was
   * asked about before is not computed again.
   *
   * @throws RangeError for a text without tokens; TokenIdError, ContextLengthError; `signal.reason` when aborted
   */
  async nextLogits(text: Text, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Float32Array> {
    checkOptionNames(options, ["signal"], "nextLogits");
    return (await this.#calls.result("nextLogits", sendable("nextLogits", text), options)) as Float32Array;
  }

  /** What the model runs on now, and what it takes. */
  async info(): Promise<ModelInfo> {
    return (await this.#calls.result("info", undefined, {})) as ModelInfo;
  }

  /**
   * From now on the values at these places are 0 in all that the model computes, such as `["h.2.attn.head.1"]`; `[]` switches them on
   * again. A generation that is under way changes with its next operation; `alone: true` of `trace`, `logitLens` and `contributions` looks
   * at the model as if all were on.
   *
   * @throws OptionError for places that the model does not have, and nothing changes
   */
  async switchOff(places: readonly string[]): Promise<void> {
    await this.#calls.result("switchOff", places, {});
  }

  /** Ends the worker, and frees all that it has. Calls that wait for it throw DisposedError. */
  dispose(): void {
    this.#calls.end();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A text as it can be sent: the worker turns it into tokens. */
function sendable(method: string, text: Text): string | readonly number[] {
  if (typeof text === "string") return text;
  const ids: Iterable<number> = expectIterable(method, "a text, or an array of token ids", text);
  return Array.isArray(ids) ? ids : Array.from(ids);
}

/** An address that may be relative to the page: the worker has another one. */
function fromPage(where: string): string {
  const base = globalThis.process?.getBuiltinModule === undefined ? globalThis.location?.href : undefined;
  return base !== undefined && URL.canParse(where, base) ? new URL(where, base).href : where;
}
