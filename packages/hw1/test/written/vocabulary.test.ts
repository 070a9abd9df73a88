import { readFile } from "node:fs/promises";
import type { GPT2Config } from "@gpt2-ts/gpt2";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bitsFor } from "../../src/written/token-bits.ts";
import { figureShapes, parameterCount, releasedShapes } from "../../src/written/vocabulary-growth.ts";

interface Fixture {
  readonly cases: readonly {
    readonly config: Readonly<Record<"n_layer" | "n_head" | "n_embd" | "n_positions", number>> & { n_inner?: number };
    readonly vocabulary: number;
    readonly tied: number;
    readonly figure: number;
  }[];
}
const fixture = JSON.parse(await readFile(new URL("fixtures/vocabulary.json", import.meta.url), "utf8")) as Fixture;

const size = fc.integer({ min: 1, max: 50 });
const configs: fc.Arbitrary<GPT2Config> = fc.record({
  nLayer: fc.nat(4),
  nHead: fc.constant(1),
  nEmbd: size,
  nInner: size,
  nPositions: size,
  vocabSize: size,
  activation: fc.constant("gelu"),
  layerNormEpsilon: fc.constant(1e-5),
  scaleAttnWeights: fc.constant(true),
  scaleAttnByInverseLayerIdx: fc.constant(false),
  tieWordEmbeddings: fc.boolean(),
  bosTokenId: fc.constant(undefined),
  eosTokenIds: fc.constant([]),
});

describe("bits for a token", () => {
  test("are the fewest that tell so many tokens apart, for any number that float64 holds", () => {
    const count = fc.oneof(
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      fc
        .tuple(fc.integer({ min: 1, max: 52 }), fc.integer({ min: -1, max: 1 }))
        .map(([b, d]) => Math.max(1, 2 ** b + d)),
    );
    fc.assert(
      fc.property(count, (tokens) => {
        const bits = bitsFor(tokens);
        expect(2n ** BigInt(bits) >= BigInt(tokens)).toBe(true);
        if (bits > 0) expect(2n ** BigInt(bits - 1) < BigInt(tokens)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test("are as many as the longest of the ids has binary digits", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 3000 }), (tokens) => {
        const digits = Array.from({ length: tokens }, (_, id) => id.toString(2).length);
        expect(bitsFor(tokens)).toBe(Math.max(...digits));
      }),
    );
    expect(bitsFor(50_257)).toBe(16);
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 53])("are refused for %d tokens", (count) => {
    expect(() => bitsFor(count)).toThrow(/^count: expected an integer from 1, got /);
  });
});

describe("parameters for more tokens", () => {
  test.each(fixture.cases)("are those of the models that PyTorch builds: $config, $vocabulary", (each) => {
    const { n_layer: nLayer, n_head: nHead, n_embd: nEmbd, n_positions: nPositions, n_inner } = each.config;
    const shape = { nLayer, nHead, nEmbd, nPositions, nInner: n_inner ?? 4 * nEmbd, vocabSize: each.vocabulary };
    const config = { ...fc.sample(configs, 1)[0]!, ...shape, tieWordEmbeddings: true };
    expect(parameterCount(releasedShapes(config))).toBe(each.tied);
    expect(parameterCount(figureShapes(config))).toBe(each.figure);
  });

  test("grow by C a token where tied, by 2C + 1 in the figure's model, and depend on nothing else", () => {
    fc.assert(
      fc.property(configs, fc.nat(1000), (config, more) => {
        const larger = { ...config, vocabSize: config.vocabSize + more };
        const tied = (each: GPT2Config): number => parameterCount(releasedShapes({ ...each, tieWordEmbeddings: true }));
        const figure = (each: GPT2Config): number => parameterCount(figureShapes(each));
        expect(tied(larger) - tied(config)).toBe(config.nEmbd * more);
        expect(figure(larger) - figure(config)).toBe((2 * config.nEmbd + 1) * more);
      }),
    );
  });

  test("are counted from shapes: all of a tensor's numbers, of every tensor", () => {
    const shapes = fc.dictionary(fc.string(), fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }));
    fc.assert(
      fc.property(shapes, (each) => {
        const entries = Object.entries(each);
        const expected = entries.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
        expect(parameterCount(new Map(entries))).toBe(expected);
      }),
    );
  });
});
