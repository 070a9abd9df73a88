/** A prompt in any of the four forms. */
export type PromptField = string | readonly string[] | readonly number[] | readonly (readonly number[])[];

/** What `POST /v1/completions` takes. `null` is as if a field were not there. */
export interface CompletionBody {
  readonly model?: string | null;
  readonly prompt?: PromptField | null;
  readonly max_tokens?: number | null;
  readonly temperature?: number | null;
  readonly top_p?: number | null;
  readonly n?: number | null;
  readonly stop?: string | readonly string[] | null;
  readonly seed?: number | null;
  readonly echo?: boolean | null;
  readonly logprobs?: number | null;
  readonly presence_penalty?: number | null;
  readonly frequency_penalty?: number | null;
  readonly logit_bias?: Readonly<Record<string, number>> | null;
  readonly stream?: boolean | null;
  readonly stream_options?: { readonly include_usage?: boolean | null } | null;
  readonly user?: string | null;
  /** Ours, as the next two. */
  readonly top_k?: number | null;
  readonly min_p?: number | null;
  readonly repetition_penalty?: number | null;
  /** Not implemented; what asks for nothing passes. */
  readonly suffix?: unknown;
  readonly best_of?: unknown;
}

/** The most likely tokens that may be asked for in each place, as in OpenAI's interface. */
export const MOST_LOGPROBS = 20;

const nullable = true;
const penalty = { type: "number", nullable, minimum: -2, maximum: 2 };

/** Of its JSON. Prompts, stop texts and biases are checked apart: there a message can say which item is wrong. */
export const completionSchema = {
  type: "object",
  additionalProperties: false,
  properties: {
    model: { type: "string", nullable },
    prompt: {},
    max_tokens: { type: "integer", nullable, minimum: 0 },
    temperature: { type: "number", nullable, minimum: 0 },
    top_p: { type: "number", nullable, exclusiveMinimum: 0, maximum: 1 },
    n: { type: "integer", nullable, minimum: 1 },
    stop: {},
    seed: { type: "integer", nullable, minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
    echo: { type: "boolean", nullable },
    logprobs: { type: "integer", nullable, minimum: 0, maximum: MOST_LOGPROBS },
    presence_penalty: penalty,
    frequency_penalty: penalty,
    logit_bias: { type: "object", nullable },
    stream: { type: "boolean", nullable },
    stream_options: {
      type: "object",
      nullable,
      additionalProperties: false,
      properties: { include_usage: { type: "boolean", nullable } },
    },
    user: { type: "string", nullable },
    top_k: { type: "integer", nullable, minimum: 1 },
    min_p: { type: "number", nullable, minimum: 0, maximum: 1 },
    // What lies beyond makes infinities of logits.
    repetition_penalty: { type: "number", nullable, minimum: 0.01, maximum: 100 },
    suffix: {},
    best_of: {},
  },
} as const;
