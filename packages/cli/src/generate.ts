import {
  checkGenerateOptions,
  checkInteger,
  type GenerateOptions,
  type Generation,
  type GenerationEvent,
  type GPT2,
  OptionError,
} from "@gpt2-ts/gpt2";
import { Command } from "commander";
import { continuations, randomSeed } from "./continuations.ts";
import { interruptible } from "./interruption.ts";
import {
  addModelOptions,
  encodeOptions,
  loadFrom,
  type ModelFlags,
  parseInteger,
  specialTokensOption,
} from "./model-options.ts";
import { writeNote, writeOut } from "./output.ts";
import { addProfileOption, profiled } from "./profile.ts";
import { type PromptFlags, readPrompt } from "./prompt.ts";
import { addSamplingOptions, DEFAULT_MAX_TOKENS, type SamplingFlags, samplingFrom } from "./sampling-options.ts";
import { addVerboseOption, describeLoading, describeMemory, describeUsage } from "./verbose.ts";

interface GenerateFlags extends ModelFlags, PromptFlags, SamplingFlags {
  readonly specialTokens?: true;
  readonly useGenerationConfig?: true;
  readonly num?: number;
  readonly top?: number;
  readonly json?: true;
  readonly stream?: true;
  readonly profile?: true;
  readonly verbose?: true;
}

/** `gpt2 generate`: the continuation on standard output, as it comes. */
export function generateCommand(): Command {
  const command = addModelOptions(new Command("generate"))
    .description("continue a prompt; the continuation is written to standard output as it comes")
    .option("-p, --prompt <text>", "what to continue (default: standard input)")
    .option("--file <file>", "continue the text in this file")
    .addOption(specialTokensOption("the prompt"));
  return addVerboseOption(addProfileOption(addSamplingOptions(command)))
    .option("--num <count>", "so many continuations at once, each with the next seed (default: 1)", parseInteger)
    .option("--json", "print one line of JSON for each continuation instead of its text")
    .option("--stream", "with --json: a line for each token too, as it comes")
    .option("--top <count>", "with --json: so many of the likeliest tokens in each place", parseInteger)
    .addHelpText(
      "after",
      "\nOf a prompt from standard input or a file, one line break at the end is dropped. An empty prompt begins a new text." +
        "\nThe output ends at --max-tokens, at a stop text, at a token that ends texts (the config's eos_token_id, else" +
        "\n<|endoftext|>), or when prompt and output fill the model's context." +
        "\n--json: {index, prompt, text, ids, promptIds, finishReason: length|stop|eos|context, seed, logprobs, promptLogprobs}" +
        "\nwith natural log-probabilities of each of ids, and of the prompt's tokens from the second on; with --top also" +
        "\nalternatives and promptAlternatives, lists of {id, token, logprob}; with --speculate also speculation: {drafted," +
        '\naccepted}, how many tokens were guessed, and how many of them came. After Ctrl-C, with finishReason "aborted", what' +
        "\nthere is." +
        "\n--json --stream: {index, id, token, text, logprob} for each token, and then the same. Joined, and with the end of the" +
        "\nlast line's, the texts are the text: that of a token may be empty until its character is complete.",
    )
    .action((flags: GenerateFlags) => interruptible((signal) => generate(flags, signal)));
}

async function generate(flags: GenerateFlags, signal: AbortSignal): Promise<void> {
  const { json, stream, profile, verbose, num = 1, top, seed = randomSeed() } = flags;
  const given: GenerateOptions = { ...samplingFrom(flags), logprobs: json ?? false, signal };
  if (top !== undefined && !json) throw new OptionError("top", "is for --json; a text has no room for other tokens");
  checkGenerateOptions({ ...given, top }); // before loading the model
  checkInteger("num", num, 1);
  checkInteger("seed", seed, 0, Number.MAX_SAFE_INTEGER - num + 1);
  if (stream && !json) throw new OptionError("stream", "is for --json; a text is written as it comes anyway");
  const prompt = await readPrompt(flags, signal);
  const began = performance.now();
  using model = await loadFrom(flags, signal);
  const loading = performance.now() - began;
  const ids = model.tokenizer.encode(prompt, encodeOptions(flags.specialTokens));
  const options = { maxTokens: defaultMaxTokens(model), ...given, top, seed };
  const print = json ? jsonPrinter(prompt, stream) : textPrinter(prompt, num, seed);
  await profiled(profile, model, async () => {
    const timings: string[] = [];
    try {
      for await (const event of continuations(model, ids, num, options)) {
        await print(event);
        if (event.type === "end") timings[event.index] = describeUsage(event.usage);
      }
      signal.throwIfAborted();
    } finally {
      if (verbose) writeNote(describeLoading(model, loading) + timings.join("") + describeMemory());
    }
  });
}

/** What holds where the user gives no length: undefined if the model's generation config says something. */
export function defaultMaxTokens({ generationDefaults: { maxTokens, maxLength } }: GPT2): number | undefined {
  return (maxTokens ?? maxLength) === undefined ? DEFAULT_MAX_TOKENS : undefined;
}

/** Writes what comes of continuations. */
type Printer = (event: GenerationEvent) => Promise<void>;

/**
 * Standard output has the continuations only; if there are several, each under a heading. The first that has not ended is written
 * as it comes; the others wait for their turn.
 */
function textPrinter(prompt: string, num: number, seed: number): Printer {
  const onTerminal = process.stdout.isTTY;
  const endsLines = onTerminal || num > 1;
  const waiting = Array.from({ length: num }, () => ({ text: "", ended: false }));
  let current = 0;
  let isOpen = false;
  // On a terminal the prompt is shown before its continuation.
  if (onTerminal && process.stderr.isTTY) writeNote(`\u001b[2m${prompt}\u001b[22m${num > 1 ? "\n" : ""}`);
  return async ({ type, index, text }) => {
    waiting[index]!.text += text;
    waiting[index]!.ended ||= type === "end";
    while (current < num) {
      const { text, ended } = waiting[current]!;
      if (!isOpen && num > 1) await writeOut(`=== ${current + 1} of ${num} (seed ${seed + current}) ===\n`);
      isOpen = true;
      if (text !== "") await writeOut(text);
      waiting[current]!.text = "";
      if (!ended) return;
      if (endsLines) await writeOut("\n");
      isOpen = false;
      current++;
    }
  };
}

/** A line of JSON for each continuation, in their order; with `stream` one for each token before it. */
function jsonPrinter(prompt: string, stream: boolean | undefined): Printer {
  const writeLine = (value: object): Promise<void> => writeOut(`${JSON.stringify(value)}\n`);
  const ended = new Map<number, Generation>();
  let current = 0;
  return async ({ type, ...event }) => {
    if (!("generation" in event)) {
      if (stream) await writeLine(event);
      return;
    }
    ended.set(event.index, event.generation);
    for (let next = ended.get(current); next; next = ended.get(current)) {
      await writeLine({ index: current, prompt, ...next });
      ended.delete(current++);
    }
  };
}
