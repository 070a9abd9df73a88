import { checkOptionNames, OptionError, showValue } from "@gpt2-ts/tensor/options";
import type { Model } from "../model/model.ts";
import { checkFlag, checkInteger } from "../options.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { type GenerationDefaults, withDefaults } from "./defaults.ts";
import { checkSamplingOptions, type SamplingOptions, samplingOptionNames } from "./sampling.ts";
import { StopTexts } from "./stop-texts.ts";

/** How a text is continued. */
export interface GenerateOptions extends SamplingOptions {
  /** At most so many tokens. Default: as many as the context has room for. */
  readonly maxTokens?: number | undefined;
  /** Seed of the draws, an integer in 0..2^53-1: the same seed gives the same text. Default: a random one. */
  readonly seed?: number | undefined;
  /** Texts that end the output: it stops before the first of them that is complete. */
  readonly stop?: string | readonly string[] | undefined;
  /**
   * Whether the tokens that end a text end the output: those that the model's config names, else `<|endoftext|>`. Default true;
   * otherwise they are tokens like any other.
   */
  readonly stopAtEndOfText?: boolean | undefined;
  /** Whether to return the log-probabilities of prompt and output, which come from the same passes. Default false. */
  readonly logprobs?: boolean | undefined;
  /** Whether those of the prompt are among them: without, a long prompt is read faster. Default true. */
  readonly promptLogprobs?: boolean | undefined;
  /** Returns with the log-probabilities so many of the likeliest tokens in each place. From 1; default: none, which costs nothing. */
  readonly top?: number | undefined;
  /**
   * `"lookup"`: where the text repeats itself, the next tokens are guessed from what came before, and one pass checks several of
   * them (prompt lookup decoding). The output is the same, bit for bit, as without it, for any seed and options; only the time
   * differs. For `wasm`, and for `reference`, where nothing is guessed because nothing would be gained.
   */
  readonly speculate?: "lookup" | undefined;
  /** Stops early: the generation then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export const generateOptionNames = [
  ...samplingOptionNames,
  ...(["maxTokens", "seed", "stop", "stopAtEndOfText", "logprobs", "promptLogprobs", "top"] as const),
  ...(["speculate", "signal"] as const),
];

/** Throws an {@link OptionError} for an option that is unknown, out of range, or contradicts another. */
export function checkGenerateOptions(options: GenerateOptions): void {
  checkOptionNames(options, generateOptionNames);
  checkSamplingOptions(options);
  checkInteger("maxTokens", options.maxTokens, 1);
  checkInteger("seed", options.seed, 0);
  checkFlag("stopAtEndOfText", options.stopAtEndOfText);
  checkFlag("logprobs", options.logprobs);
  checkFlag("promptLogprobs", options.promptLogprobs);
  checkInteger("top", options.top, 1);
  if (options.top !== undefined && options.logprobs === false) {
    throw new OptionError("top", "comes with the log-probabilities, which are turned off");
  }
  if (options.promptLogprobs && !options.logprobs && options.top === undefined) {
    throw new OptionError("promptLogprobs", "comes with the log-probabilities, which are not asked for");
  }
  if (options.speculate !== undefined && options.speculate !== "lookup") {
    throw new OptionError("speculate", `expected "lookup", got ${showValue(options.speculate)}`);
  }
  new StopTexts(listOf(options.stop));
}

/** Options with all that follows from a model and a prompt. */
export interface ResolvedOptions extends GenerateOptions {
  readonly prompt: readonly number[];
  readonly seed: number;
  readonly stop: readonly string[];
  readonly endTokens: readonly number[];
  readonly never: Int32Array;
}

/** @throws OptionError, also for an empty prompt where the vocabulary has nothing to begin with */
export function resolveOptions(
  model: Model,
  tokenizer: Tokenizer,
  prompt: readonly number[],
  given: GenerateOptions,
  defaults: GenerationDefaults,
): ResolvedOptions {
  checkGenerateOptions(given);
  const options = withDefaults(defaults, given, prompt.length);
  if (options.speculate && model.weights.wte.device.name === "gpu") {
    throw new OptionError(
      "speculate",
      "is for wasm and reference: on gpu several tokens in a pass may get other bits than one",
    );
  }
  const { stop, stopAtEndOfText = true, seed = randomSeed() } = options;
  const { bosTokenId, eosTokenIds, vocabSize } = model.config;
  const endTokens = eosTokenIds.length > 0 ? eosTokenIds : [tokenizer.endOfText].filter((id) => id !== undefined);
  const begun = prompt.length > 0 ? prompt : beginning([bosTokenId, tokenizer.startOfText, ...endTokens], vocabSize);
  return {
    ...options,
    prompt: begun,
    seed,
    stop: listOf(stop),
    endTokens: stopAtEndOfText ? endTokens : [],
    never: tokenizer.idsWithoutToken(vocabSize),
  };
}

function listOf(stop: GenerateOptions["stop"] = []): readonly string[] {
  if (typeof stop === "string") return [stop];
  if (Array.isArray(stop)) return stop;
  throw new OptionError("stop", `expected a text or an array of texts, got ${showValue(stop)}`);
}

/** The first of the tokens that texts may begin with. */
function beginning(candidates: readonly (number | undefined)[], vocabSize: number): readonly number[] {
  const id = candidates.find((candidate) => candidate !== undefined && candidate < vocabSize);
  if (id !== undefined) return [id];
  throw new OptionError(
    "prompt",
    "expected at least one token, because this vocabulary has no <|endoftext|> to begin with",
  );
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}
