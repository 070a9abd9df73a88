/** GPT-2 on onnxruntime, native or WebAssembly, from the same weight file as ours, or its int8 version. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readConfig } from "../onnx/model-file.ts";
import { type EngineSpec, fileOf, type LanguageEngine, type Sequence } from "./language-engine.ts";
import { importPeer, peerVersion, requirePeer } from "./peers.ts";

/** The part of onnxruntime-common's interface that is used here. */
interface OrtTensor {
  readonly data: Float32Array;
}
interface OrtSession {
  readonly inputNames: readonly string[];
  run(feeds: Readonly<Record<string, OrtTensor>>): Promise<Readonly<Record<string, OrtTensor>>>;
}
interface Ort {
  readonly Tensor: new (type: string, data: Float32Array | BigInt64Array, dims: readonly number[]) => OrtTensor;
  readonly InferenceSession: {
    create(model: string | Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OrtSession>;
  };
  readonly env: { readonly wasm: { numThreads?: number } };
}

const WEIGHTS = "model.safetensors";

/** @throws what onnxruntime throws; an Error when the spec names no model file */
export async function loadOnnxruntime(spec: EngineSpec): Promise<LanguageEngine> {
  const { threads } = spec;
  const onnxFile = fileOf(spec);
  const options = {
    graphOptimizationLevel: "all",
    executionMode: "sequential",
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  };
  const native = spec.engine === "onnxruntime-node";
  const ort = native
    ? requirePeer<Ort>("onnxruntime-node")
    : await importPeer<Ort>("onnxruntime-web", "dist/ort.node.min.mjs");
  let session: OrtSession;
  if (native) {
    session = await ort.InferenceSession.create(onnxFile, options);
  } else {
    ort.env.wasm.numThreads = threads;
    const [model, data] = await Promise.all([readFile(onnxFile), readFile(join(dirname(onnxFile), WEIGHTS))]);
    const externalData = [{ path: WEIGHTS, data }];
    session = await ort.InferenceSession.create(model, { ...options, executionProviders: ["wasm"], externalData });
  }
  const { n_layer, n_head, n_embd } = await readConfig(dirname(onnxFile));
  const caches = session.inputNames.filter((name) => name.startsWith("past_"));
  const headSize = n_embd / n_head;
  // Keys and values have a tensor each, or share one.
  const dims = caches.length === n_layer ? [2, 1, n_head, 0, headSize] : [1, n_head, 0, headSize];
  const emptyCache = (): Record<string, OrtTensor> =>
    Object.fromEntries(caches.map((name) => [name, new ort.Tensor("float32", new Float32Array(0), dims)]));
  return {
    facts: {
      engine: spec.engine,
      version: peerVersion(spec.engine),
      threads,
      graph:
        caches.length === n_layer
          ? "Attention, FastGelu, SkipLayerNormalization"
          : "MultiHeadAttention, FastGelu, SkipLayerNormalization, MatMulInteger",
    },
    start: () => new OnnxSequence(ort, session, emptyCache()),
  };
}

class OnnxSequence implements Sequence {
  readonly #ort: Ort;
  readonly #session: OrtSession;
  #cache: Record<string, OrtTensor>;
  #length = 0;

  constructor(ort: Ort, session: OrtSession, cache: Record<string, OrtTensor>) {
    this.#ort = ort;
    this.#session = session;
    this.#cache = cache;
  }

  async forward(ids: Int32Array): Promise<Float32Array> {
    const int64 = (values: BigInt64Array): OrtTensor => new this.#ort.Tensor("int64", values, [1, ids.length]);
    const results = await this.#session.run({
      ...this.#cache,
      input_ids: int64(BigInt64Array.from(ids, BigInt)),
      position_ids: int64(BigInt64Array.from(ids, (_, i) => BigInt(this.#length + i))),
    });
    this.#length += ids.length;
    const { logits, ...present } = results;
    if (logits === undefined) throw new Error("onnxruntime returned no logits");
    this.#cache = Object.fromEntries(
      Object.entries(present).map(([name, value]) => [name.replace("present", "past"), value]),
    );
    return logits.data;
  }

  dispose(): void {
    this.#cache = {};
  }
}
