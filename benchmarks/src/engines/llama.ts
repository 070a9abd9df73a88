/**
 * GPT-2 on llama.cpp, through node-llama-cpp's binding: its public interface returns probabilities as maps, token by token, and
 * that would dominate the measurement.
 */

import { type EngineSpec, fileOf, type LanguageEngine, type Sequence } from "./language-engine.ts";
import { importPeer, LLAMA, peerVersion } from "./peers.ts";

/** The part of node-llama-cpp that is used here; what begins with an underscore is the binding. */
interface LlamaModule {
  getLlama(options: object): Promise<Llama>;
}
interface Llama {
  readonly llamaCppRelease: { readonly release: string };
  readonly _bindings: { readonly AddonSampler: new (model: unknown) => Sampler };
  loadModel(options: object): Promise<{
    readonly _model: unknown;
    createContext(options: object): Promise<{ readonly _ctx: AddonContext }>;
  }>;
}
interface Sampler {
  applyConfig(config: { readonly temperature: number }): void;
}
interface AddonContext {
  setThreads(threads: number): void;
  initBatch(size: number): void;
  /** Returns where the requested logits will be. */
  addToBatch(sequence: number, position: number, tokens: Uint32Array, logitsOf: Uint32Array): Uint32Array;
  decodeBatch(): Promise<void>;
  sampleToken(logits: number, sampler: Sampler): Promise<number>;
  /** With logits: token, value, token, value, … */
  sampleToken(
    logits: number,
    sampler: Sampler,
    probabilities: false,
    confidence: false,
    withLogits: true,
  ): Promise<readonly [token: number, undefined, undefined, logits: readonly number[]]>;
  disposeSequence(sequence: number): void;
}

const CONTEXT = 1024;

/** @throws what node-llama-cpp throws where it has no binary for this machine; it never downloads or compiles one */
export async function loadLlama(spec: EngineSpec): Promise<LanguageEngine> {
  const { threads } = spec;
  const { getLlama } = await importPeer<LlamaModule>("node-llama-cpp", "dist/index.js", LLAMA);
  const llama = await getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    maxThreads: threads,
    logLevel: "error",
  });
  const model = await llama.loadModel({ modelPath: fileOf(spec), gpuLayers: 0 });
  const context = await model.createContext({ contextSize: CONTEXT, batchSize: CONTEXT, sequences: 1, threads });
  context._ctx.setThreads(threads);
  const sampler = new llama._bindings.AddonSampler(model._model);
  sampler.applyConfig({ temperature: 0 });
  return {
    facts: {
      engine: "llama.cpp",
      version: `${llama.llamaCppRelease.release} (node-llama-cpp ${peerVersion("node-llama-cpp", LLAMA)})`,
      threads,
    },
    start: () => new LlamaSequence(context._ctx, sampler),
  };
}

/** There is one at a time. */
class LlamaSequence implements Sequence {
  readonly #context: AddonContext;
  readonly #sampler: Sampler;
  #length = 0;

  constructor(context: AddonContext, sampler: Sampler) {
    this.#context = context;
    this.#sampler = sampler;
  }

  async forward(ids: Int32Array): Promise<Float32Array> {
    const rows: Float32Array[] = [];
    for (const at of await this.#decode(ids, Uint32Array.from(ids.keys()))) {
      const [, , , pairs] = await this.#context.sampleToken(at, this.#sampler, false, false, true);
      const row = new Float32Array(pairs.length / 2);
      for (let i = 0; i < pairs.length; i += 2) row[pairs[i]!] = pairs[i + 1]!;
      rows.push(row);
    }
    const vocab = rows[0]?.length ?? 0;
    const logits = new Float32Array(rows.length * vocab);
    for (const [i, row] of rows.entries()) logits.set(row, i * vocab);
    return logits;
  }

  async run(ids: Int32Array): Promise<void> {
    await this.#decode(ids, Uint32Array.from(ids.keys()));
  }

  async next(ids: Int32Array): Promise<number> {
    const [at = 0] = await this.#decode(ids, Uint32Array.of(ids.length - 1));
    return this.#context.sampleToken(at, this.#sampler);
  }

  dispose(): void {
    this.#context.disposeSequence(0);
  }

  async #decode(ids: Int32Array, logitsOf: Uint32Array): Promise<Uint32Array> {
    this.#context.initBatch(ids.length);
    const places = this.#context.addToBatch(0, this.#length, Uint32Array.from(ids), logitsOf);
    await this.#context.decodeBatch();
    this.#length += ids.length;
    return places;
  }
}
