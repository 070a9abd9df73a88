// What is said between the server and the thread that has the model. Requests are checked by the server: the thread trusts them.
import { type FinishReason, type GPT2Config, type LoadOptions, OptionError, type SamplingOptions } from "@gpt2-ts/gpt2";

/** Options of `GPT2.load` that can be sent to a thread. */
export type ThreadLoadOptions = Pick<LoadOptions, "threads" | "deterministic" | "gpuMode" | "dtype" | "cacheDtype"> & {
  /** By name: the thread makes it. */
  readonly device?: "wasm" | "gpu" | "reference" | undefined;
};

/** How much is done at once. */
export interface ThreadLimits {
  /** Texts that are advanced together. */
  readonly maxConcurrent: number;
  /** Bytes of their KV caches. */
  readonly maxCacheBytes: number;
  /** Tokens of prompts that a pass reads. */
  readonly tokensPerPass: number;
}

/** To the thread. */
export type Request =
  | {
      readonly type: "load";
      readonly where: string;
      readonly options: ThreadLoadOptions;
      readonly limits: ThreadLimits;
    }
  | { readonly type: "begin"; readonly id: number; readonly work: Work }
  | { readonly type: "cancel"; readonly id: number };

/** What is to be done for a request. */
export interface Work {
  /** In tokens, at least one each. */
  readonly prompts: readonly (readonly number[])[];
  /** Continuations of each prompt. The seeds follow each other. */
  readonly samples: number;
  readonly seed: number;
  /** 0: prompts are read for their log-probabilities alone. */
  readonly maxTokens: number;
  readonly stop: readonly string[];
  readonly sampling: SamplingOptions;
  /** Whether log-probabilities are wanted. */
  readonly logprobs: boolean;
  /** Whether those of the prompts are too. */
  readonly promptLogprobs: boolean;
  /** So many of the likeliest tokens in each place; 0 for none. */
  readonly top: number;
}

/** From the thread. */
export type Reply =
  | ({ readonly type: "loaded"; readonly notice: string | undefined } & LoadedModel)
  | { readonly type: "unloadable"; readonly error: SentError }
  | { readonly type: "warning"; readonly text: string }
  /** A request's first text was begun: it waits no more. */
  | { readonly type: "begun"; readonly id: number }
  /** What came of a pass. */
  | { readonly type: "pass"; readonly events: readonly ChoiceEvent[]; readonly load: Load }
  /** Nothing more comes of this request. */
  | { readonly type: "failed"; readonly id: number; readonly error: SentError };

/** What the server needs to know of the model. */
export interface LoadedModel {
  readonly config: GPT2Config;
  /** Bytes that a text takes for each of its tokens while it is continued. */
  readonly cacheBytesPerToken: number;
}

/** What the thread is busy with. */
export interface Load {
  /** Texts that are read or continued. */
  readonly texts: number;
  /** Bytes reserved for their KV caches. */
  readonly cacheBytes: number;
}

/** What a pass adds to one of a request's texts. */
export interface ChoiceEvent {
  /** The request. */
  readonly id: number;
  /** The text's place: that of its prompt times the samples, and its sample. */
  readonly index: number;
  /** Log-probabilities of the prompt's tokens from the second on, if they were asked for. */
  readonly prompt?: SentLogprobs;
  readonly tokens: readonly SentToken[];
  /** Text that can be shown now: nothing that may yet become a stop text. */
  readonly text: string;
  /** Why the text has ended, if it has. */
  readonly finish?: FinishReason;
}

/** A generated token; the one that ended the text is among them. */
export interface SentToken {
  readonly id: number;
  readonly logprobs?: SentLogprobs;
}

/** Natural log-probabilities, place by place: of the token that stands there, and of the `count` likeliest ones. */
export interface SentLogprobs {
  readonly targets: Float32Array;
  readonly count: number;
  readonly ids: Int32Array;
  readonly logprobs: Float32Array;
}

export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Of an OptionError. */
  readonly option: string | undefined;
}

export function sentError(thrown: unknown): SentError {
  const { name, message, stack } = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { name, message, stack, option: thrown instanceof OptionError ? thrown.option : undefined };
}
