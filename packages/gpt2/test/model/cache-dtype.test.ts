import { createWasmBackend } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { DTYPES, loadModel } from "../../src/checkpoint/load.ts";
import { modelSource } from "../../src/checkpoint/source/index.ts";
import { GPT2 } from "../../src/gpt2.ts";
import { Batch, type Sequence } from "../../src/model/batch.ts";
import { attentionMaps } from "../../src/model/inspect.ts";
import { cacheBytesPerToken, KVCache } from "../../src/model/kv-cache.ts";
import { forward, logits, type Model } from "../../src/model/model.ts";

const folder = new URL("../../../../weights/shakespeare/", import.meta.url);
const devices = [1, 2, 3].map((threads) => createWasmBackend({ threads }));
const models = await Promise.all(devices.map(async (device) => loadModel(await modelSource(folder), { device })));
const [model] = models as [Model, Model, Model];
afterAll(() => {
  for (const device of devices) device.dispose();
});
const { vocabSize } = model.config;

/** The logits of every row. */
function run(on: Model, sequences: readonly Sequence[]): Float32Array[] {
  using batch = new Batch(on, sequences);
  using x = forward(on, batch);
  using scores = logits(on, x);
  batch.commit();
  const data = scores.dataSync();
  return Array.from({ length: batch.length }, (_, row) => data.slice(row * vocabSize, (row + 1) * vocabSize));
}

const ids = (minLength: number, maxLength: number) => fc.array(fc.nat(vocabSize - 1), { minLength, maxLength });

describe.each(["bf16", "int8"] as const)("with keys and values in %s", (cacheDtype) => {
  const [one, two, three] = models.map((loaded): Model => ({ ...loaded, cacheDtype })) as [Model, Model, Model];

  test("logits have the same bits token by token, in pieces, packed, on 1 to 3 threads, and after truncation", () => {
    fc.assert(
      fc.property(ids(2, 150), ids(1, 30), fc.nat(), (text, other, at) => {
        const whole = run(one, [{ ids: text }]);
        const cut = 1 + (at % (text.length - 1));
        using cache = new KVCache(one);
        expect(text.slice(0, cut).flatMap((id) => run(one, [{ ids: [id], cache }]))).toEqual(whole.slice(0, cut));
        run(one, [{ ids: other, cache }]);
        cache.truncate(cut);
        expect(run(one, [{ ids: text.slice(cut), cache }])).toEqual(whole.slice(cut));
        for (const on of [one, two, three]) {
          expect(run(on, [{ ids: other }, { ids: text }]).slice(other.length)).toEqual(whole);
        }
      }),
      { numRuns: 5 },
    );
  });

  test("logits stay near those of the reference device, and of float32", async () => {
    const text = Array.from({ length: 40 }, (_, i) => (i * 311) % vocabSize);
    const largest = (a: readonly Float32Array[], b: readonly Float32Array[]) =>
      Math.max(...a.flatMap((row, i) => Array.from(row, (x, j) => Math.abs(x - b[i]![j]!))));
    const onReference = await loadModel(await modelSource(folder), { device: "reference", cacheDtype });
    const rounded = run(one, [{ ids: text }]);
    expect(largest(rounded, run(onReference, [{ ids: text }]))).toBeLessThan({ bf16: 0.05, int8: 0.1 }[cacheDtype]);
    const error = largest(rounded, run(model, [{ ids: text }]));
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan({ bf16: 0.1, int8: 0.3 }[cacheDtype]);
  });

  test("a cache takes the bytes that are told, and attention maps still add up to 1", () => {
    const { nLayer, nHead, nEmbd } = model.config;
    const D = nEmbd / nHead;
    const bytes = { bf16: 2 * D, int8: D + 4 }[cacheDtype];
    expect(cacheBytesPerToken(model.config, cacheDtype)).toBe(2 * nLayer * nHead * bytes);
    const before = devices[0]!.info().usedBytes;
    using cache = new KVCache(one, 100);
    const used = devices[0]!.info().usedBytes - before;
    expect(used).toBeGreaterThanOrEqual(100 * cacheBytesPerToken(model.config, cacheDtype));
    expect(used).toBeLessThan(100 * cacheBytesPerToken(model.config, cacheDtype) + 2 * nLayer * 128);
    expect(cache.capacity).toBe(100);
    for (const map of attentionMaps(one, [1, 2, 3])) {
      using sums = map.sum(-1);
      for (const sum of sums.dataSync()) expect(sum).toBeCloseTo(1, 5);
      map.dispose();
    }
  });
});

describe("cacheDtype", () => {
  test("is f32 unless weights are int8, where it is bf16, which adds next to nothing to their errors", async () => {
    const source = await modelSource(folder);
    for (const [dtype, expected] of [
      ["f32", "f32"],
      ["bf16", "f32"],
      ["int8", "bf16"],
    ] as const) {
      const loaded = await loadModel(source, { device: devices[0]!, dtype });
      expect(loaded.cacheDtype, dtype).toBe(expected);
    }
    using chosen = await GPT2.load(folder, { dtype: "int8", cacheDtype: "int8", threads: 1 });
    expect(chosen.model.cacheDtype).toBe("int8");
  });

  test("of another name is refused, with the names that there are", async () => {
    for (const cacheDtype of ["float16", "float32", 8, null]) {
      const refused = GPT2.load(folder, { cacheDtype: cacheDtype as never });
      await expect(refused).rejects.toThrow(/cacheDtype: there are f32, bf16, int8; got/);
    }
    expect(DTYPES).toEqual(["f32", "bf16", "int8"]);
  });
});
