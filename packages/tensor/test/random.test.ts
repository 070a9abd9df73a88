import { Generator, rand, randInt, randn } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { philox4x32 } from "../src/random.ts";

function hex(words: Uint32Array): string {
  return [...words].map((word) => word.toString(16).padStart(8, "0")).join(" ");
}

describe("Philox4x32-10", () => {
  // The known answers that Random123 ships (kat_vectors).
  test.each([
    [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], "408f276d 41c83b0e a20bc7c6 6d5451fd"],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], "d16cfe09 94fdcceb 5001e420 24126ea1"],
  ] as const)("block %j of key %j is Random123's", (counter, key, expected) => {
    const block = new Uint32Array(4);
    philox4x32(block, counter, key);
    expect(hex(block)).toBe(expected);
  });
});

describe("Generator", () => {
  test("has streams of its own for each pair of numbers, which are the upper words of the counter", () => {
    const block = new Uint32Array(4);
    philox4x32(block, [0, 0, 7, 0xffffffff], [5, 0]);
    const stream = new Generator(5, [7, 0xffffffff]);
    expect(Array.from({ length: 4 }, () => stream.uint32())).toEqual([...block]);
    expect(new Generator(5, [0, 0]).uint32()).toBe(new Generator(5).uint32());
    for (const wrong of [[1], [1, 2 ** 32], [-1, 0], [0.5, 0]]) {
      expect(() => new Generator(5, wrong as unknown as [number, number])).toThrow(RangeError);
    }
  });

  test("gives the same numbers for the same seed, and others for another", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        fc.pre(a !== b);
        const draw = (seed: number): number[] => {
          const generator = new Generator(seed);
          return Array.from({ length: 9 }, () => generator.uint32());
        };
        expect(draw(a)).toEqual(draw(a));
        expect(draw(a)).not.toEqual(draw(b));
      }),
    );
  });

  test("is the same on every engine", () => {
    const generator = new Generator(20190929);
    expect([generator.uniform(), generator.normal(), generator.integer(0, 50257)]).toMatchInlineSnapshot(`
      [
        0.014612706245018758,
        -1.106034923833633,
        22737,
      ]
    `);
  });

  test.each([-1, 0.5, 2 ** 53, Number.NaN])("refuses the seed %d", (seed) => {
    expect(() => new Generator(seed)).toThrow(RangeError);
  });

  test("uniform numbers are in [0, 1) and fill ten bins evenly", () => {
    const generator = new Generator(1);
    const bins = new Array<number>(10).fill(0);
    const draws = 100_000;
    for (let i = 0; i < draws; i++) {
      const value = generator.uniform();
      expect(value >= 0 && value < 1).toBe(true);
      bins[Math.floor(value * 10)]!++;
    }
    const chiSquare = bins.reduce((sum, count) => sum + (count - draws / 10) ** 2 / (draws / 10), 0);
    expect(chiSquare).toBeLessThan(27.9); // 9 degrees of freedom, p = 0.001
  });

  test("integers stay in range, hit both ends and are not biased", () => {
    const generator = new Generator(2);
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 60_000; i++) counts[generator.integer(-3, 3) + 3]!++;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    expect(chiSquare).toBeLessThan(20.5); // 5 degrees of freedom, p = 0.001
    expect(() => generator.integer(3, 3)).toThrow(RangeError);
  });
});

describe("random tensors", () => {
  test("rand is uniform in [0, 1)", () => {
    const data = rand([10_000], { seed: 3 }).dataSync();
    expect(Math.min(...data)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...data)).toBeLessThan(1);
    expect(data.reduce((sum, x) => sum + x, 0) / 10_000).toBeCloseTo(0.5, 1);
  });

  test("randn has mean 0, variance 1 and the normal's tails", () => {
    const data = randn([50_001], { seed: 4 }).dataSync();
    const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
    const variance = data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length;
    const beyondTwo = data.filter((x) => Math.abs(x) > 2).length / data.length;
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.03);
    expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(0.004);
  });

  test("a generator goes on where it stands", () => {
    const seed = new Generator(5);
    const both = [...randInt(0, 1000, [8], { seed }).dataSync(), ...randInt(0, 1000, [8], { seed }).dataSync()];
    expect(both).toEqual([...randInt(0, 1000, [16], { seed: 5 }).dataSync()]);
  });
});
