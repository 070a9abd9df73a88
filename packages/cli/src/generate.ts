import { checkGenerateOptions, checkInteger, type GenerateOptions, type GPT2, OptionError } from "@gpt2-ts/gpt2";
import { Command } from "commander";
import { type ContinuationStep, continuations, randomSeed } from "./continuations.ts";
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
import { addVerboseOption, describeLoading, describeMemory, describeTiming } from "./verbose.ts";

interface GenerateFlags extends ModelFlags, PromptFlags, SamplingFlags {
  readonly specialTokens?: true;
  readonly useGenerationConfig?: true;
  readonly num?: number;
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
    .option("--num <count>", "so many continuations, each with the next seed (default: 1)", parseInteger)
    .option("--json", "print one line of JSON for each continuation instead of its text")
    .option("--stream", "with --json: lines for the pieces of the text too, as they come")
    .addHelpText(
      "after",
      "\nOf a prompt from standard input or a file, one line break at the end is dropped. An empty prompt begins a new text." +
        "\nThe output ends at --max-tokens, at a stop text, at a token that ends texts (the config's eos_token_id, else" +
        "\n<|endoftext|>), or when prompt and output fill the model's context." +
        "\n--json: {index, prompt, text, ids, promptIds, finishReason: length|stop|eos|context, seed, logprobs, promptLogprobs}" +
        "\nwith natural log-probabilities of each of ids, and of the prompt's tokens from the second on; with --speculate also" +
        "\nspeculation: {drafted, accepted}, how many tokens were guessed, and how many of them came. After Ctrl-C: {index," +
        '\nprompt, text, promptIds, finishReason: "interrupted", seed} with the text so far.' +
        "\n--json --stream: {index, piece} for each piece, and then the same.",
    )
    .action((flags: GenerateFlags) => interruptible((signal) => generate(flags, signal)));
}

async function generate(flags: GenerateFlags, signal: AbortSignal): Promise<void> {
  const { json, stream, profile, verbose, num = 1, seed = randomSeed() } = flags;
  const given: GenerateOptions = { ...samplingFrom(flags), logprobs: json ?? false, signal };
  checkGenerateOptions(given); // before loading the model
  checkInteger("num", num, 1);
  checkInteger("seed", seed, 0, Number.MAX_SAFE_INTEGER - num + 1);
  if (stream && !json) throw new OptionError("stream", "is for json; a text is written as it comes anyway");
  const prompt = await readPrompt(flags, signal);
  const began = performance.now();
  using model = await loadFrom(flags, signal);
  const loading = performance.now() - began;
  const ids = model.tokenizer.encode(prompt, encodeOptions(flags.specialTokens));
  const options = { maxTokens: defaultMaxTokens(model), ...given, seed };
  const print = json ? jsonPrinter(prompt, num, seed, ids, stream) : textPrinter(prompt, num, seed);
  await profiled(profile, model, async () => {
    const timings: string[] = [];
    try {
      for await (const step of continuations(model, ids, num, options)) {
        await print.step(step);
        if ("timing" in step) timings.push(describeTiming(step.generation, step.timing));
      }
    } finally {
      if (signal.aborted) await print.interrupted();
      if (verbose) writeNote(describeLoading(model, loading) + timings.join("") + describeMemory());
    }
  });
}

/** What holds where the user gives no length: undefined if the model's generation config says something. */
export function defaultMaxTokens({ generationDefaults: { maxTokens, maxLength } }: GPT2): number | undefined {
  return (maxTokens ?? maxLength) === undefined ? DEFAULT_MAX_TOKENS : undefined;
}

/** Writes what comes of continuations. */
interface Printer {
  step(step: ContinuationStep): Promise<void>;
  /** The user has had enough; what there is may be written. */
  interrupted(): Promise<void>;
}

/** Standard output has the continuations only; if there are several, each under a heading. */
function textPrinter(prompt: string, num: number, seed: number): Printer {
  const onTerminal = process.stdout.isTTY;
  const endsLines = onTerminal || num > 1;
  let isOpen = false;
  // On a terminal the prompt is shown before its continuation.
  if (onTerminal && process.stderr.isTTY) writeNote(`\u001b[2m${prompt}\u001b[22m${num > 1 ? "\n" : ""}`);
  const end = async (): Promise<void> => {
    if (isOpen && endsLines) await writeOut("\n");
    isOpen = false;
  };
  return {
    async step({ index, ...step }) {
      if (!isOpen && num > 1) await writeOut(`=== ${index + 1} of ${num} (seed ${seed + index}) ===\n`);
      isOpen = true;
      if ("piece" in step) await writeOut(step.piece);
      else await end();
    },
    interrupted: end,
  };
}

/** A line of JSON for each continuation; with `stream` one for each piece before it. */
function jsonPrinter(
  prompt: string,
  num: number,
  seed: number,
  promptIds: readonly number[],
  stream: boolean | undefined,
): Printer {
  const writeLine = (value: object): Promise<void> => writeOut(`${JSON.stringify(value)}\n`);
  let index = 0; // of the one that is being written
  let text = "";
  return {
    async step(step) {
      if ("piece" in step) {
        text += step.piece;
        if (stream) await writeLine(step);
        return;
      }
      await writeLine({ index, prompt, ...step.generation });
      index++;
      text = "";
    },
    async interrupted() {
      if (index === num) return;
      await writeLine({ index, prompt, text, promptIds, finishReason: "interrupted", seed: seed + index });
    },
  };
}
