import type { GenerateOptions, SamplingOptions } from "@gpt2-ts/gpt2";
import { type Command, InvalidArgumentError, Option } from "commander";
import { parseInteger, parseNumber } from "./model-options.ts";
import { flagOf } from "./report.ts";

/** What `gpt2 generate` and `gpt2 run` can be told of the library's options, by their names there. */
export type SamplingFlags = Pick<GenerateOptions, keyof SamplingOptions | "maxTokens" | "seed" | "stop" | "speculate">;

interface Setting<Value> {
  readonly short?: string;
  /** Stands for the value in the help; not there for what is on or off. */
  readonly value?: string;
  readonly help: string;
  /** @param before what the option has been given already */
  readonly parse?: (text: string, before?: Value) => Value;
}

/** Output ends here unless `--max-tokens` or the model's generation config says otherwise. */
export const DEFAULT_MAX_TOKENS = 200;

/** The one list of them: flags, their order in the help, and the settings of `gpt2 run`. */
export const samplingSettings: {
  readonly [Name in keyof SamplingFlags]-?: Setting<NonNullable<SamplingFlags[Name]>>;
} = {
  maxTokens: {
    short: "-n",
    value: "<count>",
    help: `the most tokens to generate (default: ${DEFAULT_MAX_TOKENS})`,
    parse: parseInteger,
  },
  temperature: {
    value: "<number>",
    help: "below 1 less random, above 1 more; 0 is greedy (default: 1)",
    parse: parseNumber,
  },
  topK: { value: "<count>", help: "draw only from the k most likely tokens", parse: parseInteger },
  topP: {
    value: "<number>",
    help: "draw only from the most likely tokens that together reach this probability",
    parse: parseNumber,
  },
  minP: {
    value: "<number>",
    help: "draw only from tokens at least so likely, as a share of the most likely one",
    parse: parseNumber,
  },
  repetitionPenalty: {
    value: "<number>",
    help: "above 1 discourages tokens that occurred before",
    parse: parseNumber,
  },
  noRepeatNgramSize: {
    value: "<count>",
    help: "never write so many tokens a second time in the same order",
    parse: parseInteger,
  },
  presencePenalty: {
    value: "<number>",
    help: "above 0 discourages tokens of the output so far",
    parse: parseNumber,
  },
  frequencyPenalty: {
    value: "<number>",
    help: "the same, once for each time that they occur there",
    parse: parseNumber,
  },
  logitBias: {
    value: "<id=number>",
    help: "add to a token's logit, -Infinity rules it out; may be given several times",
    parse: addBias,
  },
  seed: {
    value: "<integer>",
    help: "the same seed gives the same text (default: a random one)",
    parse: parseInteger,
  },
  stop: {
    value: "<text>",
    help: "end before this text; may be given several times",
    parse: (text, before = []) => [...before, text],
  },
  greedy: { help: "always the most likely token" },
  speculate: {
    value: "<method>",
    help: "lookup: guess tokens from what came before and check several at once; the same text, sooner where it repeats itself",
    parse: (text) => text as "lookup", // the library says what there is
  },
};

export const samplingNames = Object.keys(samplingSettings) as readonly (keyof SamplingFlags)[];

/** Adds an option for each of {@link samplingSettings}, and `--use-generation-config`. */
export function addSamplingOptions(command: Command): Command {
  for (const name of samplingNames) {
    const { short, value, help, parse } = samplingSettings[name] as Setting<unknown>;
    const option = new Option(
      [short, `--${flagOf(name)}`].filter(Boolean).join(", ") + (value ? ` ${value}` : ""),
      help,
    );
    option.negate = false; // --no-repeat-ngram-size does not negate a flag, as commander believes
    if (parse) option.argParser(parse);
    command.addOption(option);
  }
  return command.option(
    "--use-generation-config",
    "take what is not given here from the model's generation_config.json: temperature, top-k, length and the like",
  );
}

/** The library's options among a command's flags: those that were given. */
export function samplingFrom(flags: SamplingFlags): SamplingFlags {
  return Object.fromEntries(samplingNames.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]]])));
}

function addBias(text: string, before: GenerateOptions["logitBias"] = new Map()): ReadonlyMap<number, number> {
  const [, id, bias] = /^(\d+)=(-Infinity|[-+]?[\d.]+(?:e[-+]?\d+)?)$/i.exec(text) ?? [];
  if (id === undefined || Number.isNaN(Number(bias))) {
    throw new InvalidArgumentError(`expected a token id and a number, such as 50256=-100, got ${JSON.stringify(text)}`);
  }
  return new Map(before as ReadonlyMap<number, number>).set(Number(id), Number(bias));
}
