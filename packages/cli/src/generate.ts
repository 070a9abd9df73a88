import { checkGenerateOptions, type GenerateOptions } from "@gpt2-ts/gpt2";
import { Command, InvalidArgumentError } from "commander";
import { inputText } from "./input.ts";
import { interruptible } from "./interruption.ts";
import {
  addModelOptions,
  encodeOptions,
  loadFrom,
  type ModelFlags,
  parseInteger,
  parseNumber,
  specialTokensOption,
} from "./model-options.ts";
import { writeNote, writeOut } from "./output.ts";
import { addProfileOption, profiled } from "./profile.ts";

const DEFAULT_MAX_TOKENS = 200;

interface GenerateFlags extends ModelFlags {
  readonly prompt?: string;
  readonly specialTokens?: true;
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  /** `--no-repeat-ngram-size`: commander takes it for the negation of a flag, and its absence for true. */
  readonly repeatNgramSize: number | true;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly logitBias?: ReadonlyMap<number, number>;
  readonly seed?: number;
  readonly stop?: string[];
  readonly greedy?: true;
  readonly speculate?: string;
  readonly useGenerationConfig?: true;
  readonly json?: true;
  readonly profile?: true;
}

/** `gpt2 generate`: the continuation on standard output, as it comes. */
export function generateCommand(): Command {
  return addProfileOption(addModelOptions(new Command("generate")))
    .description("continue a prompt; the continuation is written to standard output as it comes")
    .option("--prompt <text>", "what to continue (default: all of standard input, including its last line break)")
    .addOption(specialTokensOption("the prompt"))
    .option("--max-tokens <count>", `the most tokens to generate (default: ${DEFAULT_MAX_TOKENS})`, parseInteger)
    .option("--temperature <number>", "below 1 bolder, above 1 more random; 0 is greedy (default: 1)", parseNumber)
    .option("--top-k <count>", "draw only from the k most likely tokens", parseInteger)
    .option(
      "--top-p <number>",
      "draw only from the most likely tokens that together reach this probability",
      parseNumber,
    )
    .option(
      "--min-p <number>",
      "draw only from tokens at least so likely, as a share of the most likely one",
      parseNumber,
    )
    .option("--repetition-penalty <number>", "above 1 discourages tokens that occurred before", parseNumber)
    .option(
      "--no-repeat-ngram-size <count>",
      "never write so many tokens a second time in the same order",
      parseInteger,
    )
    .option("--presence-penalty <number>", "above 0 discourages tokens of the output so far", parseNumber)
    .option("--frequency-penalty <number>", "the same for each time that they stand there", parseNumber)
    .option(
      "--logit-bias <id=number>",
      "add to a token's logit, -Infinity rules it out; may be given several times",
      parseBias,
    )
    .option("--seed <integer>", "the same seed gives the same text (default: a random one)", parseInteger)
    .option("--stop <text>", "end before this text; may be given several times", (text, all: string[] = []) => [
      ...all,
      text,
    ])
    .option("--greedy", "always the most likely token")
    .option(
      "--speculate <method>",
      "lookup: guess tokens from what came before and check several at once; the same text, sooner where it repeats itself",
    )
    .option(
      "--use-generation-config",
      "take what is not given here from the model's generation_config.json: temperature, top-k, length and the like",
    )
    .option("--json", "print one line of JSON at the end instead of the text")
    .addHelpText(
      "after",
      "\nAn empty prompt begins a new text. The output ends at --max-tokens, at a stop text, at a token that ends texts" +
        "\n(the config's eos_token_id, else <|endoftext|>), or when prompt and output fill the model's context." +
        "\n--json: {prompt, text, promptIds, ids, finishReason: length|stop|eos|context, seed, promptLogprobs, logprobs}" +
        "\nwith natural log-probabilities of the prompt's tokens from the second on, and of each of ids; with --speculate also" +
        "\nspeculation: {drafted, accepted}, the tokens that were guessed, and those of them that came.",
    )
    .action((flags: GenerateFlags) => interruptible((signal) => generate(flags, signal)));
}

async function generate(flags: GenerateFlags, signal: AbortSignal): Promise<void> {
  const { json, profile, repeatNgramSize } = flags;
  const given: GenerateOptions = {
    maxTokens: flags.maxTokens,
    temperature: flags.temperature,
    topK: flags.topK,
    topP: flags.topP,
    minP: flags.minP,
    repetitionPenalty: flags.repetitionPenalty,
    noRepeatNgramSize: repeatNgramSize === true ? undefined : repeatNgramSize,
    presencePenalty: flags.presencePenalty,
    frequencyPenalty: flags.frequencyPenalty,
    logitBias: flags.logitBias,
    seed: flags.seed,
    stop: flags.stop,
    greedy: flags.greedy,
    speculate: flags.speculate as GenerateOptions["speculate"], // checked below
    logprobs: json ?? false,
    signal,
  };
  checkGenerateOptions(given); // before loading the model
  if (flags.prompt === undefined && process.stdin.isTTY) {
    writeNote("reading the prompt from standard input; end it with Ctrl-D\n");
  }
  const prompt = flags.prompt ?? (await inputText(signal));
  using model = await loadFrom(flags, signal);
  const ids = model.tokenizer.encode(prompt, encodeOptions(flags.specialTokens));
  const { maxTokens, maxLength } = model.generationDefaults;
  const isLimited = (flags.maxTokens ?? maxTokens ?? maxLength) !== undefined;
  const options = isLimited ? given : { ...given, maxTokens: DEFAULT_MAX_TOKENS };
  if (json) {
    const generation = await profiled(profile, model, () => model.generate(ids, options));
    await writeOut(`${JSON.stringify({ prompt, ...generation })}\n`);
    return;
  }
  const onTerminal = process.stdout.isTTY;
  // On a terminal the prompt is shown before its continuation; standard output has only the continuation.
  if (onTerminal && process.stderr.isTTY) writeNote(`\u001b[2m${prompt}\u001b[22m`);
  await profiled(profile, model, async () => {
    try {
      for await (const piece of model.stream(ids, options)) await writeOut(piece);
    } finally {
      if (onTerminal) await writeOut("\n");
    }
  });
}

function parseBias(text: string, all: ReadonlyMap<number, number> = new Map()): ReadonlyMap<number, number> {
  const [, id, bias] = /^(\d+)=(-Infinity|[-+]?[\d.]+(?:e[-+]?\d+)?)$/i.exec(text) ?? [];
  if (id === undefined || Number.isNaN(Number(bias))) {
    throw new InvalidArgumentError(`expected a token id and a number, such as 50256=-100, got ${JSON.stringify(text)}`);
  }
  return new Map(all).set(Number(id), Number(bias));
}
