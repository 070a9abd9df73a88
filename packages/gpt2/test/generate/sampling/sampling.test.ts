import { Generator, OptionError } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LargestFirst } from "../../../src/generate/largest-first.ts";
import { draw, nextToken, type SamplingOptions } from "../../../src/generate/sampling.ts";

const logit = fc.double({ min: -40, max: 40, noNaN: true }).map(Math.fround);
const row = fc.array(logit, { minLength: 1, maxLength: 60 }).map((values) => Float32Array.from(values));
const options: fc.Arbitrary<SamplingOptions> = fc.record(
  {
    temperature: fc.double({ min: 0.05, max: 5, noNaN: true }),
    topK: fc.integer({ min: 1, max: 70 }),
    topP: fc.double({ min: 0.001, max: 1, noNaN: true }),
    minP: fc.double({ min: 0, max: 1, noNaN: true }),
    repetitionPenalty: fc.double({ min: 0.2, max: 5, noNaN: true }),
    presencePenalty: fc.double({ min: -2, max: 2, noNaN: true }),
    frequencyPenalty: fc.double({ min: -2, max: 2, noNaN: true }),
    logitBias: fc.constantFrom({ 0: -3 }, new Map([[0, 1.5]])),
  },
  { requiredKeys: [] },
);

describe("nextToken", () => {
  it("gives ids in rising order with probabilities that add up to one", () => {
    fc.assert(
      fc.property(row, options, (logits, chosen) => {
        const { ids, probabilities } = nextToken(logits, chosen, [0]);
        expect([...ids]).toEqual([...new Set(ids)].sort((a, b) => a - b));
        expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
        expect(ids.length).toBe(probabilities.length);
      }),
    );
  });

  it("is the softmax of the logits when no option is given", () => {
    fc.assert(
      fc.property(row, (logits) => {
        const largest = Math.max(...logits);
        const weights = Array.from(logits, (value) => Math.exp(value - largest));
        const total = weights.reduce((sum, value) => sum + value, 0);
        const { ids, probabilities } = nextToken(logits);
        expect([...ids]).toEqual([...logits.keys()]);
        for (const [i, weight] of weights.entries()) expect(probabilities[i]).toBeCloseTo(weight / total, 13);
      }),
    );
  });

  it("keeps with top-p the smallest set of most likely tokens that reaches p", () => {
    fc.assert(
      fc.property(row, fc.double({ min: 0.01, max: 0.999, noNaN: true }), (logits, topP) => {
        const all = nextToken(logits).probabilities;
        const kept = Array.from(nextToken(logits, { topP }).ids, (id) => all[id]!);
        const sum = kept.reduce((total, p) => total + p, 0);
        expect(sum).toBeGreaterThanOrEqual(topP - 1e-12);
        expect(sum - Math.min(...kept)).toBeLessThan(topP + 1e-12);
        const dropped = [...all].sort((a, b) => b - a).slice(kept.length);
        expect(Math.max(0, ...dropped)).toBeLessThanOrEqual(Math.min(...kept));
      }),
    );
  });

  it("keeps with top-k the k largest logits and those equal to the k-th", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1 }),
        fc.integer({ min: 1 }),
        (values, topK) => {
          const threshold = [...values].sort((a, b) => b - a)[Math.min(topK, values.length) - 1]!;
          const { ids } = nextToken(values, { topK });
          expect([...ids]).toEqual([...values.keys()].filter((id) => values[id]! >= threshold));
        },
      ),
    );
  });

  it("becomes greedy as the temperature falls to zero", () => {
    fc.assert(
      fc.property(row, (logits) => {
        const best = logits.indexOf(Math.max(...logits));
        for (const chosen of [{ temperature: 0 }, { greedy: true }] as const) {
          expect(nextToken(logits, chosen)).toEqual({
            ids: Int32Array.of(best),
            probabilities: Float64Array.of(1),
          });
        }
        const ties = logits.filter((value) => value === logits[best]).length;
        const { ids, probabilities } = nextToken(logits, { temperature: 1e-300 });
        expect(probabilities[ids.indexOf(best)]).toBe(1 / ties);
      }),
    );
  });

  it("takes the first of equally likely tokens when greedy", () => {
    expect([...nextToken([1, 3, 3, 2], { greedy: true }).ids]).toEqual([1]);
  });

  it("applies the repetition penalty once to each token, whatever its count and sign", () => {
    const penalized = nextToken([2, -2, 1], { repetitionPenalty: 2 }, [0, 0, 1, 0]);
    const expected = nextToken([1, -4, 1]);
    expect(penalized).toEqual(expected);
  });

  it("lets the repetition penalty change what greedy chooses", () => {
    expect([...nextToken([3, 2], { greedy: true, repetitionPenalty: 2 }, [0]).ids]).toEqual([1]);
  });

  it("takes the prompt's tokens out of presence and frequency penalty only", () => {
    const text = [0, 0, 1, 1, 1, 2];
    const penalized = nextToken([1, 2, 3], { presencePenalty: 0.5, frequencyPenalty: 0.25 }, text, 2);
    expect(penalized).toEqual(nextToken([1, 2 - 0.5 - 0.75, 3 - 0.5 - 0.25]));
  });

  it("keeps with min-p the tokens that are likely enough beside the most likely one", () => {
    fc.assert(
      fc.property(row, fc.double({ min: 0, max: 1, noNaN: true }), (logits, minP) => {
        const all = nextToken(logits).probabilities;
        const largest = Math.max(...all);
        const { ids } = nextToken(logits, { minP });
        for (const [id, p] of all.entries()) {
          if (Math.abs(p / largest - minP) > 1e-12) expect(ids.includes(id)).toBe(p / largest > minP);
        }
      }),
    );
  });

  it("never writes an n-gram a second time", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.integer(), (noRepeatNgramSize, seed) => {
        const generator = new Generator(Math.abs(seed));
        const ids: number[] = [];
        while (ids.length < 30) {
          ids.push(draw(nextToken(new Float32Array(40), { noRepeatNgramSize }, ids), generator));
        }
        const grams = ids.slice(noRepeatNgramSize - 1).map((_, i) => ids.slice(i, i + noRepeatNgramSize).join());
        expect(new Set(grams).size).toBe(grams.length);
      }),
    );
  });

  it("takes a logit bias as a record or a Map, and rules a token out at -Infinity", () => {
    const bias = { 0: 2, 2: Number.NEGATIVE_INFINITY };
    const biased = nextToken([1, 2, 3], { logitBias: bias });
    expect(biased).toEqual(nextToken([3, 2, Number.NEGATIVE_INFINITY]));
    expect(biased).toEqual(
      nextToken([1, 2, 3], { logitBias: new Map(Object.entries(bias).map(([id, b]) => [+id, b])) }),
    );
    expect(() => nextToken([1, 2, 3], { logitBias: { 3: 1 } })).toThrow("there is no logit for token id 3");
  });

  it("gives no chance to masked tokens", () => {
    const { probabilities } = nextToken([Number.NEGATIVE_INFINITY, 0, Number.NEGATIVE_INFINITY], { topK: 2 });
    expect(probabilities.reduce((sum, p) => sum + p, 0)).toBe(1);
    expect(draw(nextToken([Number.NEGATIVE_INFINITY, 0, Number.NEGATIVE_INFINITY]), new Generator(3))).toBe(1);
  });

  it("refuses logits that are not numbers, or that leave nothing to choose", () => {
    expect(() => nextToken([0, Number.NaN, 1])).toThrow("the logit of token 1 is NaN");
    expect(() => nextToken([Number.NEGATIVE_INFINITY])).toThrow("the largest of 1 logits is -Infinity");
    expect(() => nextToken([])).toThrow(RangeError);
  });

  it("refuses options out of range, by name", () => {
    const wrong: [SamplingOptions, string][] = [
      [{ temperature: -1 }, "temperature: expected a number from 0, got -1"],
      [{ temperature: Number.NaN }, "temperature: expected a number from 0, got NaN"],
      [{ temperature: Number.POSITIVE_INFINITY }, "temperature: expected a number from 0, got Infinity"],
      [{ topK: 0 }, "topK: expected an integer from 1, got 0"],
      [{ topK: 1.5 }, "topK: expected an integer from 1, got 1.5"],
      [{ topP: 0 }, "topP: expected a number above 0, at most 1, got 0"],
      [{ topP: 1.01 }, "topP: expected a number above 0, at most 1, got 1.01"],
      [{ repetitionPenalty: 0 }, "repetitionPenalty: expected a number above 0, got 0"],
      [{ minP: 1.5 }, "minP: expected a number from 0 to 1, got 1.5"],
      [{ noRepeatNgramSize: 0 }, "noRepeatNgramSize: expected an integer from 1, got 0"],
      [{ presencePenalty: Number.NaN }, "presencePenalty: expected a number, got NaN"],
      [{ frequencyPenalty: Number.POSITIVE_INFINITY }, "frequencyPenalty: expected a number, got Infinity"],
      [{ logitBias: { a: 1 } as never }, "logitBias: expected token ids from 0, got NaN"],
      [{ logitBias: { 1: Number.NaN } }, "logitBias: expected a number or -Infinity for token 1, got NaN"],
      [{ logitBias: [[1, 2]] as never }, "logitBias: expected a record or a Map of token ids and numbers"],
      [{ greedy: true, minP: 0.1 }, "minP: has no meaning together with greedy"],
      [{ greedy: true, topK: 5 }, "topK: has no meaning together with greedy"],
      [{ greedy: true, temperature: 1 }, "temperature: has no meaning together with greedy"],
    ];
    for (const [chosen, message] of wrong) {
      expect(() => nextToken([0, 1], chosen)).toThrow(OptionError);
      expect(() => nextToken([0, 1], chosen)).toThrow(message);
    }
  });
});

describe("draw", () => {
  it("draws only tokens of the distribution that have a chance", () => {
    fc.assert(
      fc.property(row, options, fc.integer({ min: 0 }), (logits, chosen, seed) => {
        const distribution = nextToken(logits, chosen);
        const id = draw(distribution, new Generator(seed));
        expect(distribution.probabilities[distribution.ids.indexOf(id)]).toBeGreaterThan(0);
      }),
    );
  });

  it("draws each token as often as its probability says (chi-square)", () => {
    const logits = Float32Array.from({ length: 12 }, (_, i) => Math.sin(7 * i) * 1.5);
    for (const chosen of [{}, { temperature: 0.7 }, { topK: 6 }, { topP: 0.8 }] satisfies SamplingOptions[]) {
      const distribution = nextToken(logits, chosen);
      const generator = new Generator(20190929);
      const draws = 50_000;
      const counts = new Map<number, number>();
      for (let i = 0; i < draws; i++) {
        const id = draw(distribution, generator);
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      let statistic = 0;
      for (const [i, id] of distribution.ids.entries()) {
        const expected = draws * distribution.probabilities[i]!;
        statistic += ((counts.get(id) ?? 0) - expected) ** 2 / expected;
      }
      // With k categories the statistic has mean k - 1 and variance 2 (k - 1): four standard deviations are allowed.
      const freedom = distribution.ids.length - 1;
      expect(statistic).toBeLessThan(freedom + 4 * Math.sqrt(2 * freedom));
      expect(statistic).toBeGreaterThan(0);
    }
  });

  it("depends on the seed alone", () => {
    const distribution = nextToken(Float32Array.from({ length: 1000 }, (_, i) => Math.cos(i)));
    const drawn = (seed: number): number[] => {
      const generator = new Generator(seed);
      return Array.from({ length: 20 }, () => draw(distribution, generator));
    };
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
  });
});

describe("LargestFirst", () => {
  it("hands out all indices as a stable descending sort would", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3, max: 3 })), (values) => {
        const order = new LargestFirst(Float64Array.from(values));
        const taken: number[] = [];
        for (let index = order.next(); index !== undefined; index = order.next()) taken.push(index);
        expect(taken).toEqual([...values.keys()].sort((a, b) => values[b]! - values[a]!));
      }),
    );
  });

  it("orders minus infinity last", () => {
    const order = new LargestFirst(Float64Array.of(Number.NEGATIVE_INFINITY, 1, Number.NEGATIVE_INFINITY));
    expect([order.next(), order.next(), order.peek(), order.next(), order.next()]).toEqual([1, 0, 2, 2, undefined]);
  });
});
