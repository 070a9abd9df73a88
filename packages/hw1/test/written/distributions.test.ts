import { Generator } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drawIndex, logNormalize, randomDistribution, totalVariation } from "../../src/written/distributions.ts";
import { confidenceBand } from "../../src/written/gaussian-autoregressive.ts";

const odds = fc.array(fc.nat(20), { minLength: 1, maxLength: 5 }).filter((each) => each.some((one) => one > 0));
const seeds = fc.nat(2 ** 31);

describe("distributions", () => {
  test("the total variation is the most that two can differ about an event", () => {
    const pairs = fc.integer({ min: 1, max: 4 }).chain((size) => {
      const row = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: size, maxLength: size });
      return fc.tuple(row, row);
    });
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const [p, q] = [a, b].map((row) => logNormalize(row.map(Math.log)));
        const events = Array.from({ length: 2 ** a.length }, (_, event) =>
          a.reduce((sum, _, i) => ((event >> i) & 1 ? sum + Math.exp(p![i]!) - Math.exp(q![i]!) : sum), 0),
        );
        expect(totalVariation(p!, q!)).toBeCloseTo(Math.max(...events), 12);
      }),
    );
  });

  test("a draw comes up as often as its probability says, and never if that is 0", () => {
    fc.assert(
      fc.property(odds, seeds, (each, seed) => {
        const generator = new Generator(seed);
        const total = each.reduce((a, b) => a + b);
        const probabilities = each.map((one) => one / total);
        const counts = each.map(() => 0);
        for (let i = 0; i < 2000; i++) counts[drawIndex(probabilities, generator)]! += 1;
        for (const [i, p] of probabilities.entries()) {
          expect(Math.abs(counts[i]! - 2000 * p)).toBeLessThanOrEqual(7 * Math.sqrt(2000 * p * (1 - p)));
        }
      }),
    );
  });

  test("a random distribution adds up to 1 and favours no outcome", () => {
    const generator = new Generator(1);
    const draws = Array.from({ length: 5000 }, () => randomDistribution(4, generator));
    for (const draw of draws) expect(draw.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    for (const i of [0, 1, 2, 3]) {
      const values = draws.map((draw) => draw[i]!);
      // Uniform on the simplex: one coordinate is Beta(1, 3), of mean 1/4 and P(below 1/2) = 1 - (1/2)³.
      expect(Math.abs(values.reduce((a, b) => a + b) / 5000 - 1 / 4)).toBeLessThan(0.015);
      expect(Math.abs(values.filter((value) => value < 1 / 2).length / 5000 - 7 / 8)).toBeLessThan(0.025);
    }
  });

  test("the band of a sample's distribution function is √(log(2/α) / 2n)", () => {
    expect(confidenceBand(200, 0.05)).toBeCloseTo(0.096, 4); // 1.3581 / √200, as tables have it
    expect(confidenceBand(50, 0.01)).toBeCloseTo(1.6276 / Math.sqrt(50), 4);
  });
});
