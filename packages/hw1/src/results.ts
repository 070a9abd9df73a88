import type { Horizon2TopK } from "./temperature.ts";

/** What a run of the command found, for the report. A part is there if its task was run. */
export interface Hw1Results {
  readonly model: ModelSummary;
  /** Where the texts came from, a sentence each. */
  readonly data: readonly string[];
  readonly seed: number;
  /** Problems 6.3, 6.6 and 6.7b. */
  readonly samples?: readonly SampleRun[] | undefined;
  /** Problem 6.4. */
  readonly likelihood?: LikelihoodResults | undefined;
  /** Problem 6.5. */
  readonly classification?: ClassificationResults | undefined;
  /** Names of the files in the course's formats, if they were asked for. */
  readonly courseFiles?: readonly string[] | undefined;
  /** Problem 6.7b: what a horizon of two tokens costs. */
  readonly costs?: HorizonCosts | undefined;
  /** How long each task took. */
  readonly timings: readonly { readonly task: string; readonly seconds: number }[];
}

export interface ModelSummary {
  readonly name: string;
  readonly parameters: number;
  readonly nPositions: number;
  readonly vocabSize: number;
  /** What it ran on, such as `wasm, 2 threads`. */
  readonly device: string;
}

/** One file of samples. */
export interface SampleRun {
  /** Its name in the output folder. */
  readonly file: string;
  readonly topK: number;
  readonly temperature: number;
  readonly horizon: 1 | 2;
  /** What top-k did, at horizon 2. */
  readonly horizon2TopK?: Horizon2TopK | undefined;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly prompt: string;
  /** What the model wrote, without the prompt. */
  readonly continuation: string;
  /** Its tokens. */
  readonly ids: readonly number[];
  /** It has as many tokens as were asked for, or prompt and continuation fill the model's context. */
  readonly finishReason: "length" | "context";
}

export interface LikelihoodResults {
  readonly sets: readonly SetLikelihoods[];
  /** One text, token by token. */
  readonly strip: TokenStrip;
}

/** The likelihood of each text of a set. */
export interface SetLikelihoods {
  readonly name: string;
  readonly title: string;
  /** The name in the output folder of the file of raw values. */
  readonly file: string;
  /** Natural log-likelihoods, a text each. */
  readonly logLikelihoods: readonly number[];
  /** Characters (code points) of each text. */
  readonly characters: readonly number[];
}

export interface TokenStrip {
  readonly text: string;
  readonly tokens: readonly {
    readonly text: string;
    /** Natural; none for the first token, which is given. */
    readonly logprob: number | undefined;
  }[];
}

export interface ClassificationResults {
  /** How the threshold was chosen, in a sentence. */
  readonly rule: string;
  /** A text is taken for random if its log-likelihood per character, in nats, is below this. */
  readonly threshold: number;
  /** Texts that the threshold was chosen from. */
  readonly training: { readonly random: number; readonly real: number };
  /** Texts never seen before the test. */
  readonly heldOut: {
    readonly random: number;
    readonly real: number;
    /** Share of them with the right label. */
    readonly accuracy: number;
    /** Area under the ROC curve: how often a random text scores below a real one, ties counting half. */
    readonly auc: number;
    /** From (0, 0) to (1, 1). "Positive" is random. */
    readonly roc: readonly RocPoint[];
  };
  readonly mixed: {
    /** The name in the output folder of the file of labels. */
    readonly file: string;
    readonly random: readonly boolean[];
    /** Share of the right labels, where they are known. */
    readonly accuracy: number | undefined;
  };
}

export interface RocPoint {
  readonly falsePositiveRate: number;
  readonly truePositiveRate: number;
  /** Texts that score below it are taken for random. */
  readonly threshold: number;
}

/** Median times of one token, in seconds, measured in turns, some steps in a row, on the same prefix. */
export interface HorizonCosts {
  /** Candidates for the token. */
  readonly k: number;
  /** Tokens of the prefix. */
  readonly prefix: number;
  /** One pass over one token: horizon 1. */
  readonly plain: number;
  /** Horizon 2: one pass over one token, and the k candidates as one batch. */
  readonly horizon2: number;
  /** Horizon 2 with the k candidates one after another: k + 1 passes over one token. */
  readonly naive: number;
}
