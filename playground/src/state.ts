import type { SamplingOptions } from "@gpt2-ts/gpt2";
import type { GPT2Worker, ModelInfo } from "@gpt2-ts/gpt2/worker";
import { computed, signal } from "@preact/signals";
import { integer, list, number, oneOf, optional, string } from "./codecs.ts";
import { inUrl } from "./url.ts";

// What the whole page knows. Each part reads these signals; what is chosen is in the address too.

// ---- the model ---------------------------------------------------------------------------------------------------------

export const DTYPES = ["f32", "bf16", "int8"] as const;
export type Dtype = (typeof DTYPES)[number];

/** Which model, and where it comes from. */
export type ModelChoice =
  | { readonly from: "page"; readonly folder: string; readonly title: string }
  | {
      readonly from: "hub";
      readonly name: string;
      readonly dtype: Dtype;
      /** Another server than the Hub. */
      readonly endpoint?: string | undefined;
      /** Only from what this browser keeps. */
      readonly offline?: boolean | undefined;
      /** False: it is read from the hub and not kept. */
      readonly keep?: boolean | undefined;
    }
  | {
      readonly from: "files";
      readonly title: string;
      readonly files: Readonly<Record<string, Blob>>;
      readonly dtype?: Dtype | undefined;
    };

/** A model that is there. */
export interface Session {
  readonly model: GPT2Worker;
  readonly choice: ModelChoice;
  /** What the model is called here. */
  readonly title: string;
  /** Milliseconds that loading took. */
  readonly loadTime: number;
  /** What it said while it was loaded. */
  readonly warnings: readonly string[];
}

/** A model on its way. */
export interface Loading {
  readonly choice: ModelChoice;
  readonly title: string;
  /** What is being done: "Downloading". */
  readonly phase: string;
  /** Of the phase, 0 to 1; undefined where nobody knows. */
  readonly share: number | undefined;
  readonly detail: string;
  readonly cancel: () => void;
}

/** A model that did not come. */
export interface Failure {
  readonly choice: ModelChoice;
  readonly title: string;
  readonly error: Error;
}

/** The model that everything on the page is computed with; undefined until the first one is there. */
export const session = signal<Session | undefined>();
export const loading = signal<Loading | undefined>();
export const failure = signal<Failure | undefined>();
/** What the model runs on and takes, as last asked. */
export const info = signal<ModelInfo | undefined>();
/** Tokens a second, as last measured on this page. */
export const speed = signal<{ readonly reading?: number; readonly writing?: number }>({});
/** Milliseconds from the beginning of the visit to the first text with probabilities. */
export const firstText = signal<number | undefined>();

/** The model that the address names, if any: one of the hub, or the folder of one that lies beside the page. */
export const linkedModel = inUrl("model", undefined, optional(string));
export const linkedDtype = inUrl<Dtype>("dtype", "int8", oneOf(DTYPES));
export const linkedHub = inUrl("hub", undefined, optional(string));

/** A model that a link asks for and that is not here: nothing large is downloaded unasked. */
export const offer = signal<(ModelChoice & { readonly from: "hub" }) | undefined>();

// ---- the text ----------------------------------------------------------------------------------------------------------

export const START_TEXT = "Once upon a time there was a little girl, and the little";

export const text = inUrl("text", START_TEXT, string);
/** The text's tokens where they are not those that the tokenizer makes of it: a model may write " Jul" "iet" where that has " Juliet". */
export const exactIds = inUrl("ids", undefined, optional(list(integer(0), ".")));

/** The text as the model gets it. */
export interface Tokens {
  readonly ids: readonly number[];
  /** Each token's text, for display (`shownToken` of `@gpt2-ts/gpt2/draw` makes its blanks visible). */
  readonly texts: readonly string[];
  /** How many tokens more the text has than the model has positions. They are not among `ids`. */
  readonly beyond: number;
}

const NO_TOKENS: Tokens = { ids: [], texts: [], beyond: 0 };

export const tokens = computed<Tokens>(() => {
  const model = session.value?.model;
  if (model === undefined) return NO_TOKENS;
  const { tokenizer, config } = model;
  const exact = exactIds.value;
  const isText = exact?.every((id) => id < tokenizer.vocabSize) && tokenizer.decode(exact) === text.value;
  const all = isText ? exact! : tokenizer.encode(text.value);
  const ids = all.slice(0, config.nPositions);
  return { ids, texts: tokenizer.tokens(ids), beyond: all.length - ids.length };
});

/** The index of the token that is looked at; undefined: the place behind the text, where the next token will be. */
export const chosenToken = inUrl("token", undefined, optional(integer(0)));

/** The place that is looked at: `chosenToken`, but no further than the end of the text. */
export const place = computed<number>(() =>
  Math.min(chosenToken.value ?? Number.POSITIVE_INFINITY, tokens.value.ids.length),
);

// ---- how it is continued -------------------------------------------------------------------------------------------------

export const sampling = {
  temperature: inUrl("temperature", 0.8, number(0, 3)),
  /** 0: all tokens. */
  topK: inUrl("topk", 0, integer(0, 1000)),
  topP: inUrl("topp", 0.95, number(0.01, 1)),
  minP: inUrl("minp", 0, number(0, 1)),
  repetitionPenalty: inUrl("repetition", 1, number(0.5, 3)),
  seed: inUrl("seed", 1, integer(0)),
  maxTokens: inUrl("tokens", 40, integer(1, 1000)),
} as const;

/** The same as `generate` and `nextToken` take it. */
export const samplingOptions = computed<SamplingOptions>(() => ({
  temperature: sampling.temperature.value,
  topK: sampling.topK.value === 0 ? undefined : sampling.topK.value,
  topP: sampling.topP.value,
  minP: sampling.minP.value,
  repetitionPenalty: sampling.repetitionPenalty.value,
}));

/** Whether the model is writing: what takes long waits until it is done. */
export const writing = signal(false);

// ---- what is looked at ---------------------------------------------------------------------------------------------------

export const VIEWS = ["text", "code", "inside", "train", "models"] as const;
export type View = (typeof VIEWS)[number];

export const view = inUrl<View>("view", "text", oneOf(VIEWS));
export const layer = inUrl("layer", 0, integer(0));
export const head = inUrl("head", 0, integer(0));

/** Places that are to be switched off (`GPT2Worker.switchOff`). The engine tells the model; `applied` is what it computes with now. */
export const switchedOff = inUrl<readonly string[]>("off", [], list(string));
export const applied = signal<readonly string[]>([]);
