import { checkOptionNames } from "@gpt2-ts/tensor/options";
import type { Model } from "../model/model.ts";
import { checkInteger } from "../options.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { GenerationDefaults } from "./defaults.ts";
import { oneByOne } from "./event-streams.ts";
import { checkGenerateOptions, type GenerateOptions, generateOptionNames, resolveOptions } from "./options.ts";
import { Scheduler, type SchedulerLimits } from "./scheduler.ts";
import type { Sequence } from "./sequence.ts";
import { type Generation, type GenerationEvent, TextOutput } from "./text.ts";

/** How several texts are continued together. */
export interface GenerateAllOptions extends GenerateOptions, Pick<SchedulerLimits, "maxConcurrent" | "maxCacheBytes"> {
  /** So many continuations of each prompt; the seeds follow each other, from `seed` on if it is given. Default 1. */
  readonly samples?: number | undefined;
  /** Stops early: all of it then throws the signal's reason. A prompt's own signal ends its texts alone ("aborted"). */
  readonly signal?: AbortSignal | undefined;
}

/** A prompt in tokens, and options for it that differ from those for all. */
export interface PromptOptions extends GenerateOptions {
  readonly prompt: readonly number[];
}

/** What texts are generated with. */
export interface TextModel {
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  readonly generationDefaults: GenerationDefaults;
}

/**
 * Continues prompts, all of them together in packed passes, and yields after each pass what came of it. Each text is the same, bit
 * for bit, as if generated alone (on gpu the last bits may differ).
 *
 * @returns all of it, in the order of the prompts, and of each prompt's samples
 * @throws OptionError, TokenIdError, ContextLengthError for a prompt that leaves no room for a token; `signal.reason` when aborted
 */
export async function* generateTogether(
  { model, tokenizer, generationDefaults }: TextModel,
  prompts: readonly PromptOptions[],
  options: GenerateAllOptions = {},
): AsyncGenerator<GenerationEvent[], Generation[]> {
  const { samples = 1, maxConcurrent, maxCacheBytes, signal, ...shared } = checked(options);
  signal?.throwIfAborted();
  const scheduler = new Scheduler(model, { maxConcurrent, maxCacheBytes });
  const outputs: TextOutput[] = [];
  const events: GenerationEvent[] = [];
  const errors: unknown[] = [];
  const listener = {
    event: (event: GenerationEvent) => events.push(event),
    error: (error: unknown) => errors.push(error),
  };
  const listening: (() => void)[] = [];
  const listen = (to: AbortSignal | undefined, abort: () => void): void => {
    to?.addEventListener("abort", abort);
    listening.push(() => to?.removeEventListener("abort", abort));
  };
  try {
    const sequences: Sequence[] = [];
    for (const { prompt, signal: own, ...given } of prompts) {
      for (let sample = 0; sample < samples; sample++) {
        const asked = { ...shared, ...withoutUndefined(given) };
        const seed = asked.seed === undefined ? undefined : asked.seed + sample;
        const resolved = resolveOptions(model, tokenizer, prompt, { ...asked, seed }, generationDefaults);
        // Few ask for it: its code is a file of its own in bundles.
        const drafter = resolved.speculate && (await import("./lookup.ts")).lookupFor(model, resolved.prompt);
        const output = new TextOutput(outputs.length, resolved, tokenizer, listener, () => drafter?.statistics);
        outputs.push(output);
        const sequence = scheduler.add({ ...resolved, drafter }, output);
        sequences.push(sequence);
        if (own?.aborted) scheduler.cancel(sequence);
        else listen(own, () => scheduler.cancel(sequence));
      }
    }
    listen(signal, () => scheduler.dispose());
    signal?.throwIfAborted();
    while (events.length > 0 || scheduler.busy) {
      if (events.length > 0) yield events.splice(0);
      else await scheduler.step();
      signal?.throwIfAborted();
      if (errors.length > 0) throw errors[0];
    }
    return outputs.map(({ generation }) => generation!);
  } finally {
    for (const stop of listening) stop();
    scheduler.dispose(); // also when the reader leaves early
  }
}

function checked(options: GenerateAllOptions): GenerateAllOptions {
  checkOptionNames(options, [...generateOptionNames, "samples", "maxConcurrent", "maxCacheBytes"]);
  checkInteger("samples", options.samples, 1);
  checkInteger("maxConcurrent", options.maxConcurrent, 1);
  checkInteger("maxCacheBytes", options.maxCacheBytes, 1);
  return options;
}

function withoutUndefined<Options extends object>(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options;
}

/** Continues a prompt, and yields what comes of it. */
export async function* generateEvents(
  of: TextModel,
  prompt: readonly number[],
  options: GenerateOptions,
): AsyncGenerator<GenerationEvent, Generation> {
  checkGenerateOptions(options);
  const { signal, ...own } = options;
  const [generation] = yield* oneByOne(generateTogether(of, [{ ...own, prompt }], { signal }), signal);
  return generation!;
}
