import { createWasmBackend, full } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { loadModel } from "../../src/checkpoint/load.ts";
import { modelSource } from "../../src/checkpoint/source/index.ts";
import { ContextLengthError, TokenIdError } from "../../src/errors.ts";
import { Batch, type Sequence } from "../../src/model/batch.ts";
import { disposeModel } from "../../src/model/dispose.ts";
import { KVCache } from "../../src/model/kv-cache.ts";
import { forward, logits } from "../../src/model/model.ts";

const devices = [1, 2].map((threads) => createWasmBackend({ threads, deterministic: true }));
const folder = new URL("../../../../weights/shakespeare/", import.meta.url);
const [model, onTwoThreads] = await Promise.all(
  devices.map(async (device) => loadModel(await modelSource(folder), { device })),
);
afterAll(() => {
  for (const device of devices) device.dispose();
});
const { vocabSize, nPositions } = model!.config;

/** The logits of every row, one array a row. */
function run(sequences: readonly Sequence[], on = model!): Float32Array[] {
  using batch = new Batch(on, sequences);
  using x = forward(on, batch);
  using scores = logits(on, x);
  batch.commit();
  const data = scores.dataSync();
  return Array.from({ length: batch.length }, (_, row) => data.slice(row * vocabSize, (row + 1) * vocabSize));
}

const ids = fc.array(fc.nat(vocabSize - 1), { minLength: 1, maxLength: 40 });

describe("a batch", () => {
  test("gives each sequence the bits it gets alone, on one thread and on two", () => {
    fc.assert(
      fc.property(fc.array(ids, { minLength: 1, maxLength: 5 }), (texts) => {
        const packed = run(texts.map((text) => ({ ids: text })));
        const single = texts.flatMap((text) => run([{ ids: text }]));
        expect(packed).toEqual(single);
        expect(
          run(
            texts.map((text) => ({ ids: text })),
            onTwoThreads!,
          ),
        ).toEqual(single);
      }),
      { numRuns: 20 },
    );
  });

  test("continues from a cache with the bits of having read the whole", () => {
    fc.assert(
      fc.property(ids, fc.array(ids, { minLength: 1, maxLength: 3 }), (beginning, rest) => {
        using cache = new KVCache(model!);
        const pieces = [beginning, ...rest].flatMap((part) => run([{ ids: part, cache }]));
        const whole = run([{ ids: [beginning, ...rest].flat() }]);
        expect(cache.length).toBe(whole.length);
        expect(pieces).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  test.each([
    ["wasm", "f32"],
    ["wasm", "bf16"],
    ["wasm", "int8"],
    ["reference", "f32"],
    ["reference", "int8"],
  ] as const)("gives up to nine tokens in one pass the bits of as many passes (%s, %s)", async (device, dtype) => {
    const loaded = await loadModel(await modelSource(folder), { device, dtype });
    using cache = new KVCache(loaded, 32);
    run([{ ids: [7, 3, 900, 12], cache }], loaded);
    const next = [5, 5, 17, 1000, 2, 44, 5, 17, 8];
    const apart = next.flatMap((id) => run([{ ids: [id], cache }], loaded));
    for (let count = 1; count <= next.length; count++) {
      cache.truncate(4);
      expect(run([{ ids: next.slice(0, count), cache }], loaded)).toEqual(apart.slice(0, count));
    }
    disposeModel(loaded);
  });

  test("never reads what lay in a cache's memory before", () => {
    const text = [5, 3, 8, 1, 9];
    const expected = run([{ ids: text }]);
    const { nLayer, nEmbd } = model!.config;
    const floats = 2 * nLayer * nPositions * nEmbd + nEmbd;
    full([floats], Number.NaN, { device: devices[0]! }).dispose(); // the memory that the cache takes next
    using cache = new KVCache(model!);
    expect(text.flatMap((id) => run([{ ids: [id], cache }]))).toEqual(expected);
  });

  test("lets many continuations share a prefix that stays as it is", () => {
    fc.assert(
      fc.property(ids, fc.array(ids, { minLength: 2, maxLength: 6 }), (prefix, branches) => {
        using cache = new KVCache(model!);
        run([{ ids: prefix, cache }]);
        const shared = run(branches.map((branch) => ({ ids: branch, cache, remember: false })));
        expect(cache.length).toBe(prefix.length);
        const apart = branches.flatMap((branch) => {
          const rows = run([{ ids: branch, cache }]);
          cache.truncate(prefix.length);
          return rows;
        });
        expect(shared).toEqual(apart);
      }),
      { numRuns: 20 },
    );
  });

  test("steps several cached sequences of different lengths at once", () => {
    using short = new KVCache(model!, 8);
    using long = new KVCache(model!, 64);
    run([{ ids: [5], cache: short }]);
    run([{ ids: Array.from({ length: 50 }, (_, i) => i), cache: long }]);
    const [a, b] = run([
      { ids: [7], cache: short },
      { ids: [9], cache: long },
    ]);
    short.truncate(1);
    long.truncate(50);
    expect(run([{ ids: [7], cache: short }])).toEqual([a]);
    expect(run([{ ids: [9], cache: long }])).toEqual([b]);
  });

  test("refuses ids outside the vocabulary before it runs anything", () => {
    for (const id of [-1, vocabSize, 1.5, Number.NaN]) {
      expect(() => new Batch(model!, [{ ids: [0, id] }])).toThrow(TokenIdError);
    }
    expect(() => new Batch(model!, [{ ids: [0, vocabSize] }])).toThrow(
      "token id 1024 (at index 1) is outside the vocabulary: expected an integer from 0 to 1023",
    );
  });

  test("refuses what does not fit into the context or the cache", () => {
    const full = new Array<number>(nPositions).fill(1);
    expect(() => new Batch(model!, [{ ids: [...full, 1] }])).toThrow(ContextLengthError);
    using cache = new KVCache(model!, 4);
    run([{ ids: [1, 2, 3], cache }]);
    expect(() => new Batch(model!, [{ ids: [4, 5], cache }])).toThrow(ContextLengthError);
    expect(run([{ ids: [4, 5], cache, remember: false }])).toHaveLength(2);
    expect(() => new Batch(model!, [])).toThrow(RangeError);
    expect(() => new Batch(model!, [{ ids: [] }])).toThrow(RangeError);
    expect(
      () =>
        new Batch(model!, [
          { ids: [1], cache },
          { ids: [2], cache },
        ]),
    ).toThrow(/same KV cache/);
    expect(() => new KVCache(model!, nPositions + 1)).toThrow(RangeError);
    expect(() => cache.truncate(4)).toThrow(RangeError);
  });

  test("fills the context to its last position", () => {
    using cache = new KVCache(model!);
    run([{ ids: new Array<number>(nPositions - 1).fill(1), cache }]);
    expect(run([{ ids: [2], cache }])).toHaveLength(1);
    expect(cache.length).toBe(nPositions);
  });
});
