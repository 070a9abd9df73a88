import { checkOptionNames, OptionError, showValue } from "@gpt2-ts/tensor/options";
import type { Model } from "../model/model.ts";
import { checkFlag, checkInteger } from "../options.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { type GenerationDefaults, withDefaults } from "./defaults.ts";
import type { Speculation } from "./lookup.ts";
import { checkSamplingOptions, type SamplingOptions, samplingOptionNames } from "./sampling.ts";
import { StopTexts } from "./stop-texts.ts";
import { type FinishReason, type GenerateTokensOptions, generateTokens } from "./tokens.ts";

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
  /**
   * `"lookup"`: where the text repeats itself, the next tokens are guessed from what came before, and one pass checks several of
   * them (prompt lookup decoding). The output is the same, bit for bit, as without it, for any seed and options; only the time
   * differs. For `wasm`, and for `reference`, where nothing is guessed because nothing would be gained.
   */
  readonly speculate?: "lookup" | undefined;
  /** Stops early: the generation then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A finished generation. */
export interface Generation {
  /** The output, without the prompt and without the stop text. */
  readonly text: string;
  /** The tokens of the output; those that make up a stop text are among them, one that ends the text is not. */
  readonly ids: readonly number[];
  readonly promptIds: readonly number[];
  readonly finishReason: FinishReason;
  /** The seed that gives this output again. */
  readonly seed: number;
  /** The model's own log-probability (natural) of each of `ids`, before temperature and filters; if asked for. */
  readonly logprobs: readonly number[] | undefined;
  /** The same for the prompt's tokens from the second on; if asked for. */
  readonly promptLogprobs: readonly number[] | undefined;
  /** With `speculate`: how many tokens were guessed, and how many of these are part of the output. */
  readonly speculation: Speculation | undefined;
}

const optionNames = [
  ...samplingOptionNames,
  ...(["maxTokens", "seed", "stop", "stopAtEndOfText", "logprobs", "speculate", "signal"] as const),
];

/** Throws an {@link OptionError} for an option that is unknown, out of range, or contradicts another. */
export function checkGenerateOptions(options: GenerateOptions): void {
  checkOptionNames(options, optionNames);
  checkSamplingOptions(options);
  checkInteger("maxTokens", options.maxTokens, 1);
  checkInteger("seed", options.seed, 0);
  checkFlag("stopAtEndOfText", options.stopAtEndOfText);
  checkFlag("logprobs", options.logprobs);
  if (options.speculate !== undefined && options.speculate !== "lookup") {
    throw new OptionError("speculate", `expected "lookup", got ${showValue(options.speculate)}`);
  }
  new StopTexts(listOf(options.stop));
}

/**
 * Continues a prompt and yields the text as it comes: pieces of whole characters, never part of a stop text. Joined, they are the
 * `text` of the result. An empty prompt stands for the beginning of a text: `bos_token_id` of the config, or else `<|endoftext|>`.
 * Ids that the tokenizer has no token for, as those of a padded vocabulary, are never drawn.
 *
 * @returns the whole of it
 * @throws OptionError, TokenIdError, ContextLengthError for a prompt that leaves no room for a token; `signal.reason`
 *   when aborted
 */
export async function* generateText(
  model: Model,
  tokenizer: Tokenizer,
  prompt: readonly number[],
  given: GenerateOptions = {},
  defaults: GenerationDefaults = {},
): AsyncGenerator<string, Generation> {
  checkGenerateOptions(given);
  const options = withDefaults(defaults, given, prompt.length);
  const { stop, stopAtEndOfText = true, seed = randomSeed(), speculate, ...others } = options;
  if (speculate && model.weights.wte.device.name === "gpu") {
    throw new OptionError(
      "speculate",
      "is for wasm and reference: on gpu several tokens in a pass may get other bits than one",
    );
  }
  const stopTexts = new StopTexts(listOf(stop));
  const { bosTokenId, eosTokenIds, vocabSize } = model.config;
  const endTokens = eosTokenIds.length > 0 ? eosTokenIds : [tokenizer.endOfText].filter((id) => id !== undefined);
  const promptIds =
    prompt.length > 0 ? prompt : beginning([bosTokenId, tokenizer.startOfText, ...endTokens], vocabSize);
  // Few ask for it: its code is a file of its own in bundles.
  const drafter = speculate && (await import("./lookup.ts")).lookupFor(model, promptIds);
  const decoder = tokenizer.streamDecoder();
  const tokens = generateTokens(model, promptIds, {
    ...others,
    seed,
    endTokens: stopAtEndOfText ? endTokens : [],
    never: tokenizer.idsWithoutToken(vocabSize),
    drafter,
  } satisfies GenerateTokensOptions);

  let text = "";
  const ids: number[] = [];
  const logprobs: number[] = [];
  let promptLogprobs: readonly number[] | undefined;
  let finishReason: FinishReason | undefined;
  try {
    while (finishReason === undefined) {
      const step = await tokens.next();
      let piece: string;
      if (step.done) {
        // What waited for more tokens gets none; but the U+FFFD of a broken character may complete a stop text.
        piece = stopTexts.push(decoder.flush()) + stopTexts.flush();
        finishReason = stopTexts.found ? "stop" : step.value;
      } else {
        const { id, logprob, promptLogprobs: known } = step.value;
        ids.push(id);
        if (logprob !== undefined) logprobs.push(logprob);
        promptLogprobs ??= known;
        piece = stopTexts.push(decoder.push(id));
        if (stopTexts.found) finishReason = "stop";
      }
      text += piece;
      if (piece !== "") yield piece;
    }
  } finally {
    await tokens.return("length"); // frees the cache, also when the reader leaves early
  }
  return {
    text,
    ids,
    promptIds,
    finishReason,
    seed,
    logprobs: options.logprobs ? logprobs : undefined,
    promptLogprobs,
    speculation: drafter?.statistics,
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
