/** Our own GPT-2: the forward pass on new tokens with a KV cache, as generating and scoring call it. */
import { Batch, forward, KVCache, loadModel, logits, type Model, modelSource } from "@gpt2-ts/gpt2";
import { createWasmBackend, device } from "@gpt2-ts/tensor";
import type { EngineSpec, LanguageEngine, Sequence } from "./language-engine.ts";

export async function loadGpt2Ts(spec: EngineSpec): Promise<LanguageEngine> {
  if (spec.device === "reference") {
    const model = await loadModel(await modelSource(spec.model), { device: device("reference") });
    return { facts: { engine: "gpt2-ts", backend: "reference" }, start: () => new CachedSequence(model) };
  }
  const wasm = createWasmBackend({ threads: spec.threads, deterministic: spec.deterministic ?? false });
  const model = await loadModel(await modelSource(spec.model), { device: wasm });
  const { threads, relaxedSimd } = wasm.info();
  return {
    facts: { engine: "gpt2-ts", backend: "wasm", threads, relaxedSimd },
    start: () => new CachedSequence(model),
  };
}

class CachedSequence implements Sequence {
  readonly #model: Model;
  readonly #cache: KVCache;

  constructor(model: Model) {
    this.#model = model;
    this.#cache = new KVCache(model);
  }

  async forward(ids: Int32Array): Promise<Float32Array> {
    using batch = new Batch(this.#model, [{ ids, cache: this.#cache }]);
    using hidden = forward(this.#model, batch);
    using scores = logits(this.#model, hidden);
    batch.commit();
    return await scores.data();
  }

  dispose(): void {
    this.#cache.dispose();
  }
}
