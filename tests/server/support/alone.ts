/** What the library computes for a request when nothing else goes on: every client has to get the same, to the bit. */
import { type GenerateOptions, type Generation, GPT2 } from "@gpt2-ts/gpt2";
import { afterAll, beforeAll } from "vitest";
import { SHAKESPEARE } from "../../../benchmarks/src/paths.ts";

/** A body of POST /v1/completions for one text. */
export interface Sent {
  readonly prompt?: unknown;
  readonly max_tokens?: number;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly seed?: number;
  readonly stop?: string | readonly string[];
  readonly presence_penalty?: number;
  readonly frequency_penalty?: number;
  readonly logit_bias?: Readonly<Record<string, number>>;
  readonly top_k?: number;
  readonly min_p?: number;
  readonly repetition_penalty?: number;
}

/** OpenAI's defaults. */
const MAX_TOKENS = 16;
const TEMPERATURE = 1;

export interface Library {
  readonly model: GPT2;
  /** A `logit_bias` under which no text ends before it has `max_tokens`. */
  readonly neverEnds: Readonly<Record<string, number>>;
  alone(sent: Sent, more?: GenerateOptions): Promise<Generation>;
}

/** A model in this process, while the tests of a file run. */
export function useLibrary(folder = SHAKESPEARE): Library {
  let model: GPT2 | undefined;
  beforeAll(async () => {
    model = await GPT2.load(folder, { threads: 1 });
  });
  afterAll(() => model?.dispose());
  return {
    get model() {
      return model!;
    },
    get neverEnds() {
      return Object.fromEntries(model!.config.eosTokenIds.map((id) => [String(id), -100]));
    },
    alone: (sent, more = {}) => model!.generate(promptOf(sent), { ...optionsOf(sent), ...more }),
  };
}

function promptOf({ prompt }: Sent): string | readonly number[] {
  if (Array.isArray(prompt) && prompt.length === 1 && typeof prompt[0] !== "number") return prompt[0];
  return prompt as string | readonly number[];
}

function optionsOf(sent: Sent): GenerateOptions {
  const options = {
    maxTokens: sent.max_tokens ?? MAX_TOKENS,
    temperature: sent.temperature ?? TEMPERATURE,
    topP: sent.top_p,
    seed: sent.seed,
    stop: sent.stop,
    presencePenalty: sent.presence_penalty,
    frequencyPenalty: sent.frequency_penalty,
    logitBias: sent.logit_bias,
    topK: sent.top_k,
    minP: sent.min_p,
    repetitionPenalty: sent.repetition_penalty,
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
