import { checkGenerateOptions, type GenerateOptions } from "@gpt2-ts/gpt2";
import { Command } from "commander";
import { inputText } from "./input.ts";
import { interruptible } from "./interruption.ts";
import { addModelOptions, loadFrom, type ModelFlags, parseInteger, parseNumber } from "./model-options.ts";
import { writeOut } from "./output.ts";
import { addProfileOption, profiled } from "./profile.ts";

const DEFAULT_MAX_TOKENS = 200;

interface GenerateFlags extends ModelFlags {
  readonly prompt?: string;
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly repetitionPenalty?: number;
  readonly seed?: number;
  readonly stop?: string[];
  readonly greedy?: true;
  readonly json?: true;
  readonly profile?: true;
}

/** `gpt2 generate`: the continuation on standard output, as it comes. */
export function generateCommand(): Command {
  return addProfileOption(addModelOptions(new Command("generate")))
    .description("continue a prompt; the continuation is written to standard output as it comes")
    .option("--prompt <text>", "what to continue (default: all of standard input, its last line break too)")
    .option("--max-tokens <count>", "at most so many tokens", parseInteger, DEFAULT_MAX_TOKENS)
    .option("--temperature <number>", "below 1 bolder, above 1 more random; 0 is greedy (default: 1)", parseNumber)
    .option("--top-k <count>", "draw from the k most likely tokens only", parseInteger)
    .option("--top-p <number>", "draw from the most likely tokens that reach this probability together", parseNumber)
    .option("--repetition-penalty <number>", "above 1 discourages tokens that were there before", parseNumber)
    .option("--seed <integer>", "the same seed gives the same text (default: a random one)", parseInteger)
    .option("--stop <text>", "end before this text; may be given several times", (text, all: string[] = []) => [
      ...all,
      text,
    ])
    .option("--greedy", "always the most likely token")
    .option("--json", "at the end one line of JSON instead of the text")
    .addHelpText(
      "after",
      "\nAn empty prompt begins a new text. The output ends at --max-tokens, at a stop text, at <|endoftext|>, or when" +
        "\nprompt and output fill the model's context." +
        "\n--json: {prompt, text, promptIds, ids, finishReason: length|stop|eos|context, seed, promptLogprobs, logprobs}" +
        "\nwith natural log-probabilities of the prompt's second to last token and of each of ids.",
    )
    .action((flags: GenerateFlags) => interruptible((signal) => generate(flags, signal)));
}

async function generate(flags: GenerateFlags, signal: AbortSignal): Promise<void> {
  const { maxTokens, temperature, topK, topP, repetitionPenalty, seed, stop, greedy, json, profile } = flags;
  const options: GenerateOptions = {
    maxTokens,
    temperature,
    topK,
    topP,
    repetitionPenalty,
    seed,
    stop,
    greedy,
    logprobs: json ?? false,
    signal,
  };
  checkGenerateOptions(options); // before anything large is read
  if (flags.prompt === undefined && process.stdin.isTTY) {
    process.stderr.write("reading the prompt from standard input; end it with Ctrl-D\n");
  }
  const prompt = flags.prompt ?? (await inputText(signal));
  using model = await loadFrom(flags, signal);
  if (json) {
    const generation = await profiled(profile, model, () => model.generate(prompt, options));
    await writeOut(`${JSON.stringify({ prompt, ...generation })}\n`);
    return;
  }
  const onTerminal = process.stdout.isTTY;
  // On a terminal the prompt is shown before what follows it; standard output holds the continuation alone.
  if (onTerminal && process.stderr.isTTY) process.stderr.write(`\u001b[2m${prompt}\u001b[22m`);
  await profiled(profile, model, async () => {
    try {
      for await (const piece of model.stream(prompt, options)) await writeOut(piece);
    } finally {
      if (onTerminal) await writeOut("\n");
    }
  });
}
