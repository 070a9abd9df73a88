/** Our own GPT-2: the forward pass on new tokens with a KV cache, as generating and scoring call it. */
import { Batch, forward, GPT2, KVCache, loadModel, logits, type Model, modelSource } from "@gpt2-ts/gpt2";
import { createWasmBackend, device } from "@gpt2-ts/tensor";
import { syntheticTokenizer } from "../synthetic-tokenizer.ts";
import type { EngineSpec, LanguageEngine, Sequence } from "./language-engine.ts";
import { ReadBuffers } from "./read-buffers.ts";

export async function loadGpt2Ts(spec: EngineSpec): Promise<LanguageEngine> {
  if (spec.device === "reference") {
    const model = await loadModel(await modelSource(spec.model), { device: device("reference") });
    return {
      facts: { engine: "gpt2-ts", backend: "reference" },
      start: () => new CachedSequence(model, new ReadBuffers()),
    };
  }
  const wasm = createWasmBackend({ threads: spec.threads, deterministic: spec.deterministic ?? false });
  const model = await loadModel(await modelSource(spec.model), { device: wasm, dtype: spec.dtype });
  const { threads, relaxedSimd, int8Products } = wasm.info();
  const buffers = new ReadBuffers();
  let gpt2: GPT2 | undefined;
  return {
    facts: {
      engine: "gpt2-ts",
      backend: "wasm",
      threads,
      relaxedSimd,
      ...(spec.dtype && { dtype: spec.dtype }),
      ...(spec.dtype === "int8" && { int8Products }),
    },
    start: () => new CachedSequence(model, buffers),
    async score(texts) {
      gpt2 ??= new GPT2(model, syntheticTokenizer(model.config.vocabSize));
      const scores = await gpt2.scoreAll(texts.map((ids) => Array.from(ids)));
      return scores.map(({ logLikelihood }) => logLikelihood);
    },
  };
}

class CachedSequence implements Sequence {
  readonly #model: Model;
  readonly #cache: KVCache;
  readonly #buffers: ReadBuffers;

  constructor(model: Model, buffers: ReadBuffers) {
    this.#model = model;
    this.#buffers = buffers;
    this.#cache = new KVCache(model);
  }

  async forward(ids: Int32Array): Promise<Float32Array> {
    using batch = new Batch(this.#model, [{ ids, cache: this.#cache }]);
    using hidden = forward(this.#model, batch);
    using scores = logits(this.#model, hidden);
    batch.commit();
    return await scores.data(this.#buffers.ofLength(scores.size));
  }

  dispose(): void {
    this.#cache.dispose();
  }
}
