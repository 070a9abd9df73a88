import type { SamplingOptions } from "@gpt2-ts/gpt2";
import { showName, showValue } from "@gpt2-ts/tensor/options";
import { ApiError, badRequest } from "../api-error.ts";
import type { Settings } from "../options.ts";
import type { Work } from "../thread/protocol.ts";
import type { CompletionBody } from "./body.ts";
import { type PromptModel, promptsOf } from "./prompts.ts";

/** What is asked of a server's model, and may be. */
export interface ServedModel extends PromptModel {
  readonly settings: Settings;
  /** Bytes that a text takes for each of its tokens. */
  readonly cacheBytesPerToken: number;
}

/** A request that can be carried out. */
export interface CompletionRequest {
  readonly work: Work;
  readonly echo: boolean;
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

/** As in OpenAI's interface; what is left of the context, where that is less. */
const DEFAULT_MAX_TOKENS = 16;
/** Stop texts, and their characters together: each piece of a text is compared with them. */
const MOST_STOP_TEXTS = 64;
const MOST_STOP_CHARACTERS = 4096;
/** Numbers of an answer's log-probabilities: some tens of megabytes. */
const MOST_LOGPROBS_IN_ALL = 2 ** 19;
/** What OpenAI's interface allows; infinities would come of much more. */
const LARGEST_BIAS = 100;

/** @throws ApiError for what cannot be carried out */
export function parseCompletion(model: ServedModel, body: CompletionBody): CompletionRequest {
  checkModel(model, body.model);
  checkUnimplemented(body);
  const { maxChoices } = model.settings;
  const n = body.n ?? 1;
  const prompts = promptsOf(model, body.prompt ?? undefined, maxChoices);
  if (prompts.length * n > maxChoices) {
    throw badRequest(
      `${prompts.length} prompts with n ${n} are ${prompts.length * n} texts, and a request may have ${maxChoices}`,
      "n",
      "too_many_choices",
    );
  }
  const stream = body.stream ?? false;
  if (body.stream_options && !stream) {
    throw badRequest("stream_options is for streams: stream is not true", "stream_options", "invalid_value");
  }
  const echo = body.echo ?? false;
  const seed = seedOf(body.seed ?? undefined, n);
  const maxTokens = maxTokensOf(model, prompts, body.max_tokens ?? undefined);
  const logprobs = body.logprobs ?? undefined;
  checkLogprobs(prompts, n, maxTokens, logprobs, echo);
  return {
    work: {
      prompts,
      samples: n,
      seed,
      maxTokens,
      stop: stopTexts(body.stop ?? []),
      sampling: samplingOf(model, body),
      logprobs: logprobs !== undefined,
      promptLogprobs: logprobs !== undefined && echo,
      top: logprobs ?? 0,
    },
    echo,
    stream,
    includeUsage: body.stream_options?.include_usage ?? false,
  };
}

function checkModel({ settings }: ServedModel, name: string | null | undefined): void {
  if (name === undefined || name === null || name === settings.name) return;
  throw new ApiError(`there is no model ${showValue(name)} here; there is ${showValue(settings.name)}`, {
    status: 404,
    type: "not_found_error",
    param: "model",
    code: "model_not_found",
  });
}

/** Parameters that would change the answer, and are not implemented, unless they ask for nothing. */
function checkUnimplemented({ suffix, best_of: bestOf, n }: CompletionBody): void {
  if (suffix !== undefined && suffix !== null && suffix !== "") throw unimplemented("suffix");
  if (bestOf !== undefined && bestOf !== null && bestOf !== (n ?? 1)) throw unimplemented("best_of");
}

function unimplemented(param: string): ApiError {
  return badRequest(`${param} is not implemented`, param, "unsupported_parameter");
}

/** The seeds of the samples follow each other. */
function seedOf(seed: number | undefined, samples: number): number {
  if (seed === undefined) return crypto.getRandomValues(new Uint32Array(1))[0]!;
  if (Number.isSafeInteger(seed + samples - 1)) return seed;
  throw badRequest(`seed: there is none for ${samples} texts from ${seed} on`, "seed", "invalid_value");
}

/** How many tokens each text may get. Throws where a prompt leaves no room for so many, or where they would never fit into memory. */
function maxTokensOf(model: ServedModel, prompts: readonly (readonly number[])[], asked: number | undefined): number {
  const { config, settings, cacheBytesPerToken } = model;
  const longest = Math.max(...prompts.map(({ length }) => length));
  const context = config.nPositions;
  const room = context - longest;
  const maxTokens = asked ?? Math.max(1, Math.min(DEFAULT_MAX_TOKENS, room));
  // A prompt is read by passes that could continue it, even if it is not to be continued.
  const needed = longest + Math.max(maxTokens, 1);
  if (needed > context) {
    const what = asked === undefined ? "leaves no room for another" : `and max_tokens is ${asked}, ${needed} together`;
    throw badRequest(
      `the model's context is ${context} tokens (n_positions), but the prompt has ${longest} tokens ${what}: ` +
        "shorten the prompt or lower max_tokens (lm-evaluation-harness: max_length, max_gen_toks)",
      asked === undefined || room < 1 ? "prompt" : "max_tokens",
      "context_length_exceeded",
    );
  }
  const bytes = needed * cacheBytesPerToken;
  if (bytes > settings.maxCacheBytes) {
    throw badRequest(
      `a text of ${needed} tokens takes ${bytes} bytes of keys and values, and there are ${settings.maxCacheBytes} ` +
        `(gpt2 serve --max-cache-bytes): it would never fit`,
      "max_tokens",
      "cache_too_small",
    );
  }
  return maxTokens;
}

/** Throws for an answer that would have more numbers than a server should keep for one client. */
function checkLogprobs(
  prompts: readonly (readonly number[])[],
  n: number,
  maxTokens: number,
  logprobs: number | undefined,
  echo: boolean,
): void {
  if (logprobs === undefined) return;
  const places = prompts.reduce((sum, { length }) => sum + (echo ? length : 0) + maxTokens, 0) * n;
  const numbers = places * (logprobs + 1);
  if (numbers <= MOST_LOGPROBS_IN_ALL) return;
  throw badRequest(
    `the answer would have ${numbers} log-probabilities, and may have ${MOST_LOGPROBS_IN_ALL}: ask for fewer prompts at once`,
    "logprobs",
    "too_many_logprobs",
  );
}

function stopTexts(stop: unknown): readonly string[] {
  const texts: unknown = typeof stop === "string" ? [stop] : stop;
  if (!Array.isArray(texts)) throw badStop(texts);
  for (const text of texts) {
    if (typeof text !== "string" || text === "" || /\p{Surrogate}/u.test(text)) throw badStop(text);
  }
  const characters = texts.reduce((sum: number, { length }) => sum + length, 0);
  if (texts.length > MOST_STOP_TEXTS || characters > MOST_STOP_CHARACTERS) {
    throw badRequest(
      `stop: expected at most ${MOST_STOP_TEXTS} texts of ${MOST_STOP_CHARACTERS} characters together, got ${texts.length} of ${characters}`,
      "stop",
      "invalid_value",
    );
  }
  return texts;
}

function badStop(value: unknown): ApiError {
  const message = `stop: expected a text of at least one character, or a list of them, got ${showValue(value)}`;
  return badRequest(message, "stop", "invalid_value");
}

function samplingOf({ config }: ServedModel, body: CompletionBody): SamplingOptions {
  const given: { readonly [Name in keyof SamplingOptions]: SamplingOptions[Name] | null } = {
    temperature: body.temperature,
    topP: body.top_p,
    topK: body.top_k,
    minP: body.min_p,
    repetitionPenalty: body.repetition_penalty,
    presencePenalty: body.presence_penalty,
    frequencyPenalty: body.frequency_penalty,
    logitBias: body.logit_bias && biasesOf(body.logit_bias, config.vocabSize),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== null));
}

function biasesOf(biases: Readonly<Record<string, unknown>>, vocabSize: number): ReadonlyMap<number, number> {
  const checked = new Map<number, number>();
  for (const [id, bias] of Object.entries(biases)) {
    if (!/^\d+$/.test(id) || Number(id) >= vocabSize) {
      throw badRequest(
        `logit_bias: expected token ids from 0 to ${vocabSize - 1}, got ${showName(id)}`,
        "logit_bias",
        "invalid_value",
      );
    }
    if (typeof bias !== "number" || !(Math.abs(bias) <= LARGEST_BIAS)) {
      throw badRequest(
        `logit_bias: expected a number from -${LARGEST_BIAS} to ${LARGEST_BIAS} for token ${id}, got ${showValue(bias)}`,
        "logit_bias",
        "invalid_value",
      );
    }
    checked.set(Number(id), bias);
  }
  return checked;
}
