import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_TOTAL, RangeDecoder, RangeEncoder } from "../../src/compress/range-coder.ts";

/** Symbols with the sizes of their distributions, which may differ from one to the next. */
const symbols = fc.array(
  fc
    .array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 100 }), fc.constant(MAX_TOTAL - 1000)), {
      minLength: 1,
      maxLength: 8,
    })
    .filter((sizes) => sum(sizes) <= MAX_TOTAL)
    .chain((sizes) => fc.record({ sizes: fc.constant(sizes), chosen: fc.nat(sizes.length - 1) })),
  { maxLength: 200 },
);

describe("the range coder", () => {
  it("gives back the symbols, and takes hardly more than their information", () => {
    fc.assert(
      fc.property(symbols, (list) => {
        const encoder = new RangeEncoder();
        let bits = 0;
        for (const { sizes, chosen } of list) {
          encoder.encode(sum(sizes.slice(0, chosen)), sizes[chosen]!, sum(sizes));
          bits += Math.log2(sum(sizes) / sizes[chosen]!);
        }
        const code = encoder.finish();
        expect(code.length * 8).toBeLessThan(bits * 1.001 + 24);

        const decoder = new RangeDecoder(code);
        for (const { sizes, chosen } of list) {
          const place = decoder.locate(sum(sizes));
          const found = sizes.findIndex((_, i) => place < sum(sizes.slice(0, i + 1)));
          expect(found).toBe(chosen);
          decoder.accept(sum(sizes.slice(0, found)), sizes[found]!);
          expect(decoder.exhausted).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("carries through any number of bytes of 0xFF", () => {
    // The upper end of the range again and again, and then a step above it.
    const encoder = new RangeEncoder();
    const list = [...Array(5000).fill(2), 1, ...Array(100).fill(0)];
    const sizes = [1, 1, MAX_TOTAL - 2];
    for (const i of list) encoder.encode([0, 1, 2][i]!, sizes[i]!, MAX_TOTAL);
    const decoder = new RangeDecoder(encoder.finish());
    for (const expected of list) {
      const found = Math.min(decoder.locate(MAX_TOTAL), 2);
      expect(found).toBe(expected);
      decoder.accept(found, sizes[found]!);
    }
  });

  it("notices that it reads more than there is", () => {
    const decoder = new RangeDecoder(Uint8Array.of(1, 2, 3));
    for (let i = 0; i < 10 && !decoder.exhausted; i++) {
      decoder.locate(256);
      decoder.accept(0, 1);
    }
    expect(decoder.exhausted).toBe(true);
  });
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
