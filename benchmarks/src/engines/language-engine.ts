/** What the speed and accuracy measurements ask of an engine that runs GPT-2. */

/** One sequence and what the engine remembers of it. */
export interface Sequence {
  /**
   * Runs the model on tokens that follow those it has seen.
   *
   * @returns the logits of every one of these tokens, [ids.length, vocab]
   */
  forward(ids: Int32Array): Promise<Float32Array>;
  dispose(): void;
}

export interface LanguageEngine {
  /** Versions, threads and whatever else a reader must know to judge a number. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  start(): Sequence;
}

/** Options that travel on a child's command line. */
export interface EngineSpec {
  readonly engine: "gpt2-ts" | "onnxruntime-node" | "onnxruntime-web";
  /** The model folder. */
  readonly model: string;
  readonly threads: number;
  /** gpt2-ts: the backend. */
  readonly device?: "reference" | "wasm";
  /** gpt2-ts: the same bits on every JavaScript engine, so no relaxed SIMD. */
  readonly deterministic?: boolean;
  /** onnxruntime: the model file, next to its weights. */
  readonly onnxFile?: string;
}

/** Loads an engine; each lies in a module of its own, so that a process loads only the one it measures. */
export async function openEngine(spec: EngineSpec): Promise<LanguageEngine> {
  if (spec.engine === "gpt2-ts") {
    const { loadGpt2Ts } = await import("./gpt2-ts.ts");
    return loadGpt2Ts(spec);
  }
  const { loadOnnxruntime } = await import("./onnxruntime.ts");
  return loadOnnxruntime(spec);
}
