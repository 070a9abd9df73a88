import { openAsBlob } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Batch,
  defaultCacheDtype,
  disposeModel,
  forward,
  GPT2,
  KVCache,
  loadModel,
  logits,
  type Model,
  modelSource,
  profileNames,
} from "@gpt2-ts/gpt2";
import {
  bytesOf,
  createWasmBackend,
  encodings,
  type MatrixEncoding,
  type OpTime,
  observe,
  type View,
} from "@gpt2-ts/tensor";
import { open } from "safetensors-ts";
import { describe, expect, test } from "vitest";
import { convertModel } from "../../packages/gpt2/src/checkpoint/convert/convert.ts";
import { ensureCheckpoint, readManifest } from "../src/checkpoint.ts";
import { spread } from "../src/harness/statistics.ts";
import { Recorder } from "../src/roofline/recorder.ts";
import { summarizePass } from "../src/roofline/rows.ts";
import { syntheticTokenizer, syntheticVocabulary } from "../src/synthetic-tokenizer.ts";

const TINY = "synthetic-tiny";
const DTYPES: readonly MatrixEncoding[] = ["f32", "bf16", "int8"];
const ids = (length: number): number[] => Array.from({ length }, (_, i) => (37 * i + 5) % 257);

interface Loaded {
  readonly model: Model;
  readonly recorder: Recorder;
}

async function withModel(dtype: MatrixEncoding, use: (loaded: Loaded) => Promise<void>): Promise<void> {
  const device = createWasmBackend({ threads: 1 });
  const model = await loadModel(await modelSource(await ensureCheckpoint(TINY)), { device, dtype });
  const recorder = new Recorder(profileNames(model));
  await use({ model, recorder });
  recorder.stop();
  disposeModel(model);
  device.dispose();
}

async function pass({ model, recorder }: Loaded, cache: KVCache, tokens: number): Promise<OpTime[]> {
  recorder.take();
  using batch = new Batch(model, [{ ids: ids(tokens), cache }]);
  using hidden = forward(model, batch);
  using scores = logits(model, hidden);
  batch.commit();
  await recorder.read(scores);
  return recorder.take();
}

const total = (ops: readonly OpTime[], of: (op: OpTime) => number): number => ops.reduce((sum, op) => sum + of(op), 0);

describe.each(DTYPES)("what a pass in %s costs", (dtype) => {
  // L layers, C channels, H heads, V tokens; T new tokens behind P others, and all T logits.
  test.each([
    [7, 0],
    [1, 7],
    [5, 12],
  ])("is that of GPT-2's formula for %i tokens behind %i", async (T, P) => {
    const { config, tensors } = await readManifest(TINY);
    const { n_layer: L, n_embd: C, n_head: H, vocab_size: V } = config;
    await withModel(dtype, async (loaded) => {
      using cache = new KVCache(loaded.model);
      if (P > 0) await pass(loaded, cache, P);
      const ops = await pass(loaded, cache, T);

      // Every weight of a matrix multiplies once and adds once for each token; position embeddings are only looked up.
      const matrices = Object.entries(tensors).filter(
        ([name, { shape }]) => shape.length === 2 && !name.startsWith("wpe"),
      );
      const weights = matrices.reduce((sum, [, { shape }]) => sum + shape[0]! * shape[1]!, 0);
      const biases = L * (3 * C + C + 4 * C + C);
      const gelu = 9 * L * 4 * C;
      const norms = 7 * C * (2 * L + 1);
      const sums = C * (2 * L + 1);
      const rounding = defaultCacheDtype(dtype) === "f32" ? 0 : L * 2 * C; // of keys and values
      const seen = T * P + (T * (T + 1)) / 2;
      const attention = L * seen * (4 * C + 6 * H);
      expect(total(ops, ({ operations }) => operations)).toBe(
        T * (2 * weights + biases + gelu + norms + sums + rounding) + attention,
      );
      expect(weights).toBe(12 * L * C * C + V * C);

      const integers = total(
        ops.filter(({ arithmetic }) => arithmetic === "int8"),
        ({ operations }) => operations,
      );
      expect(integers).toBe(dtype === "int8" ? T * (2 * weights + biases + gelu) : 0);
    });
  });

  test("reads each weight as often as its products run, in the bytes that its encoding takes", async () => {
    const { config } = await readManifest(TINY);
    const { n_layer: L, n_embd: C, vocab_size: V } = config;
    const stored = (inputs: number, outputs: number): number =>
      ({ f32: 4, bf16: 2, int8: 1 + 4 / encodings.int8.integers.group })[dtype] * inputs * outputs;
    await withModel(dtype, async (loaded) => {
      using cache = new KVCache(loaded.model);
      const ops = await pass(loaded, cache, 3);
      const bytes = (title: string): number | undefined => ops.find((op) => op.title === title)?.bytes;
      const product = (inputs: number, outputs: number): number => stored(inputs, outputs) + 4 * 3 * (inputs + outputs);
      expect(bytes("attn.c_attn")).toBe(L * (product(C, 3 * C) + 4 * 3 * C));
      expect(bytes("attn.c_proj")).toBe(L * (product(C, C) + 4 * C));
      expect(bytes("mlp.c_fc, gelu")).toBe(L * (product(C, 4 * C) + 4 * 4 * C));
      expect(bytes("mlp.c_proj")).toBe(L * (product(4 * C, C) + 4 * C));
      expect(bytes("lm_head")).toBe(product(C, V));
      expect(bytes("embedding wte")).toBe(stored(C, 3) + 4 * 3 + 4 * 3 * C);
    });
  });
});

/** Bytes of all tensors of the model file that a pass in `dtype` stands for. */
async function bytesOfFile(dtype: MatrixEncoding): Promise<number> {
  const folder = await ensureCheckpoint(TINY);
  if (dtype === "f32") return bytesOfTensors(join(folder, "model.safetensors"));
  const texts = syntheticVocabulary(257);
  const source = await modelSource({
    "config.json": await openAsBlob(join(folder, "config.json")),
    "vocab.json": new Blob([texts.vocab]),
    "merges.txt": new Blob([texts.merges]),
    "model.safetensors": await openAsBlob(join(folder, "model.safetensors")),
  });
  const temporary = await mkdtemp(join(tmpdir(), "roofline-"));
  try {
    await convertModel(source, join(temporary, dtype), { dtype });
    return await bytesOfTensors(join(temporary, dtype, "model.safetensors"));
  } finally {
    await rm(temporary, { recursive: true });
  }
}

async function bytesOfTensors(path: string): Promise<number> {
  await using file = await open(path);
  return file.names.reduce((sum, name) => sum + file.info(name).byteLength, 0);
}

test.each(DTYPES)("the weights that a pass in %s reads have the bytes of the model file together", async (dtype) => {
  await withModel(dtype, async ({ model }) => {
    const read = new Map<object, View>();
    using batch = new Batch(model, [{ ids: ids(4) }]);
    const before = ({ inputs }: { readonly inputs: readonly View[] }): void => {
      for (const view of inputs) read.set(view.storage, view);
    };
    observe({ before }, () => forward(model, batch)).dispose();
    for (const { storage } of [batch.ids, batch.positions]) read.delete(storage);
    const weights = [...read.values()].filter(({ storage }) => !storage.freed); // what the pass made is gone
    expect(weights.reduce((sum, view) => sum + bytesOf(view), 0)).toBe(await bytesOfFile(dtype));
  });
});

describe("the ops of the model", () => {
  test("are all known: reading, decoding and scoring, whatever the weights are kept in", async () => {
    for (const dtype of DTYPES) {
      await withModel(dtype, async (loaded) => {
        using cache = new KVCache(loaded.model);
        await pass(loaded, cache, 6);
        await pass(loaded, cache, 1);
        loaded.recorder.take();
        await new GPT2(loaded.model, syntheticTokenizer(257)).scoreAll([ids(5), ids(9)]);
        const titles = loaded.recorder.take().map(({ title }) => title);
        expect(titles).toEqual(expect.arrayContaining(["attn.c_attn", "attention", "lm_head"]));
      });
    }
  });
});

describe("a row", () => {
  const limits = { memory: spread([20]), arithmetic: { f32: spread([100]), int8: spread([200]) } };
  const op = { title: "a", shape: "1", calls: 2, arithmetic: "f32" } as const;

  test("names the limit that its op would meet first, and how much of it the median reaches", () => {
    // 40 MB at 20 GB/s: 2 ms. 100 Mop at 100 Gop/s: 1 ms, at 200: 0.5 ms.
    const moving = { ...op, bytes: 40e6, operations: 100e6 };
    const computing = { ...moving, title: "b", bytes: 4e6 };
    const integers = { ...computing, title: "c", arithmetic: "int8" } as const;
    const profiles = [5, 4, 8].map((milliseconds) => ({
      milliseconds: 3 * milliseconds + 1,
      ops: [moving, computing, integers].map((work) => ({ ...work, milliseconds })),
    }));
    const { rows, outside, share, milliseconds } = summarizePass("f32", profiles, 1, limits);
    expect(rows.map(({ limit }) => limit)).toEqual(["memory", "arithmetic", "arithmetic"]);
    expect(rows.map((row) => row.share)).toEqual([2 / 5, 1 / 5, 0.5 / 5]);
    expect([milliseconds.median, outside.median]).toEqual([16, 1]);
    expect(share).toBeCloseTo((2 + 1 + 0.5) / 16, 12);
  });

  test("is for one step of several", () => {
    const profile = { milliseconds: 30, ops: [{ ...op, calls: 12, milliseconds: 20, bytes: 80e6, operations: 0 }] };
    const { rows, outside, milliseconds } = summarizePass("f32", [profile], 4, limits);
    expect(rows[0]).toMatchObject({ calls: 3, bytes: 20e6, milliseconds: { median: 5 }, share: 1 / 5 });
    expect([milliseconds.median, outside.median]).toEqual([7.5, 2.5]);
  });

  test("does not mix samples whose passes ran other ops", () => {
    const profile = { milliseconds: 3, ops: [{ ...op, milliseconds: 2, bytes: 1, operations: 1 }] };
    const other = { ...profile, ops: [{ ...profile.ops[0]!, title: "b" }] };
    expect(() => summarizePass("f32", [profile, other], 1, limits)).toThrow(/ran b 1 where another ran a 1/);
  });
});
