/** What the measurements of speed and accuracy need from an engine that runs GPT-2. */
import type { MatrixEncoding } from "@gpt2-ts/tensor";

/** One sequence and what the engine remembers of it. */
export interface Sequence {
  /**
   * Runs the model on tokens that follow those it has seen.
   *
   * @returns the logits of every one of these tokens, [ids.length, vocab]
   */
  forward(ids: Int32Array): Promise<Float32Array>;
  /** Like `forward`, but leaves the logits where the engine computed them. Only for engines that do not return them to JavaScript. */
  run?(ids: Int32Array): Promise<void>;
  /** The most likely next token. Only for engines that find it themselves. */
  next?(ids: Int32Array): Promise<number>;
  dispose(): void;
}

/** What the processes that the engine started have used. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly peakResidentBytes: number;
}

export interface LanguageEngine {
  /** Versions, threads and whatever else a reader must know to judge a number. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  start(): Sequence;
  /** Seconds of greedy decoding from the first token after the prompt on. Only for engines with a loop of their own. */
  decode?(prompt: Int32Array, tokens: number): Promise<number>;
  /** The summed log-probability of each text's tokens but the first. Only for engines that are measured by scoring. */
  score?(texts: readonly Int32Array[]): Promise<number[]>;
  /** Only for engines that compute in another process. */
  usage?(): Usage;
}

/** Options that are passed on a child's command line. */
export interface EngineSpec {
  readonly engine:
    | "gpt2-ts"
    | "gpt2-ts build"
    | "onnxruntime-node"
    | "onnxruntime-web"
    | "llama.cpp"
    | "transformers.js"
    | "PyTorch";
  /** The model folder; for transformers.js, one in the layout of the Hugging Face Hub. */
  readonly model: string;
  readonly threads: number;
  /** gpt2-ts: the backend. */
  readonly device?: "reference" | "wasm";
  /** gpt2-ts: how weights are kept. */
  readonly dtype?: MatrixEncoding;
  /** gpt2-ts build: how keys and values are kept. For builds that have the choice. */
  readonly cacheDtype?: MatrixEncoding;
  /** gpt2-ts: the same bits on every JavaScript engine, so no relaxed SIMD. */
  readonly deterministic?: boolean;
  /** gpt2-ts build: the root of a built checkout of this repository. */
  readonly build?: string;
  /** onnxruntime and llama.cpp: the model file, next to its weights or with them. */
  readonly file?: string;
  /** transformers.js: batches of texts in the order given, not of similar lengths. */
  readonly unsorted?: boolean;
  /** PyTorch: the interpreter. */
  readonly python?: string;
}

/** The file that a spec must name. @throws Error if it names none */
export function fileOf({ engine, file }: EngineSpec): string {
  if (file === undefined) throw new Error(`${engine} needs a model file`);
  return file;
}

/** @throws Error for an engine that is not measured by scoring */
export function scorerOf({ facts, score }: LanguageEngine): NonNullable<LanguageEngine["score"]> {
  if (score === undefined) throw new Error(`${facts["engine"]} is not measured by scoring`);
  return score;
}
