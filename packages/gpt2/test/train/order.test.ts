import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataOrder } from "../../src/train/order.ts";

/** Tokens and a context that fits into them. */
const sizes = fc
  .tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 300 }))
  .map(([context, more]) => ({ context, tokens: context + more }));
const seeds = fc.integer({ min: 0, max: 2 ** 40 });

describe("the order of the data", () => {
  it("a pass takes windows that do not overlap, each once, with a target behind each", () => {
    fc.assert(
      fc.property(sizes, seeds, fc.integer({ min: 0, max: 5 }), ({ context, tokens }, seed, pass) => {
        const order = new DataOrder(tokens, context, seed);
        const starts = Array.from({ length: order.windows }, (_, i) => order.start(pass * order.windows + i));
        starts.sort((a, b) => a - b);
        for (const [i, start] of starts.entries()) {
          expect(start).toBeGreaterThanOrEqual(i === 0 ? 0 : starts[i - 1]! + context);
          expect(start + context + 1).toBeLessThanOrEqual(tokens);
        }
        expect(order.windows).toBeGreaterThanOrEqual(Math.max(1, Math.floor(tokens / context) - 1));
      }),
    );
  });

  it("is a function of the seed and the sequence's number: whoever goes on sees what would have come", () => {
    fc.assert(
      fc.property(sizes, seeds, fc.integer({ min: 0, max: 500 }), ({ context, tokens }, seed, first) => {
        const whole = new DataOrder(tokens, context, seed);
        for (let i = 0; i < first; i++) whole.start(i);
        const resumed = new DataOrder(tokens, context, seed);
        for (let i = first; i < first + 20; i++) expect(resumed.start(i)).toBe(whole.start(i));
      }),
      { numRuns: 50 },
    );
  });

  it("differs from pass to pass and from seed to seed", () => {
    const starts = (seed: number, first: number) => {
      const order = new DataOrder(10_000, 16, seed);
      return Array.from({ length: order.windows }, (_, i) => order.start(first * order.windows + i));
    };
    expect(starts(1, 0)).not.toEqual(starts(1, 1));
    expect(starts(1, 0)).not.toEqual(starts(2, 0));
    // Windows of several passes begin at different places, so that no token is always the first of its window.
    expect(new Set([0, 1, 2, 3, 4, 5].map((pass) => starts(1, pass)[0]! % 16)).size).toBeGreaterThan(2);
  });
});
