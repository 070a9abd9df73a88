import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { conditionalEntropy, expectedDivergence, expectedLogLikelihood } from "../../src/written/maximum-likelihood.ts";

/** A data set as a list of (x, y), and a few models as tables of log p(y|x). */
const cases = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 })).chain(([xs, ys]) => {
  const pair = fc.tuple(fc.nat(xs - 1), fc.nat(ys - 1));
  const row = fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: ys, maxLength: ys }).map(logSoftmax);
  const model = fc.array(row, { minLength: xs, maxLength: xs });
  return fc.record({
    shape: fc.constant([xs, ys] as const),
    pairs: fc.array(pair, { minLength: 1, maxLength: 40 }),
    models: fc.array(model, { minLength: 2, maxLength: 4 }),
  });
});

function logSoftmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const total = scores.reduce((sum, score) => sum + Math.exp(score - largest), 0);
  return scores.map((score) => score - largest - Math.log(total));
}

function empirical([xs, ys]: readonly [number, number], pairs: readonly (readonly [number, number])[]): number[][] {
  const table = Array.from({ length: xs }, () => new Array<number>(ys).fill(0));
  for (const [x, y] of pairs) table[x]![y]! += 1 / pairs.length;
  return table;
}

function entropy(probabilities: readonly number[]): number {
  return -probabilities.reduce((sum, p) => sum + (p === 0 ? 0 : p * Math.log(p)), 0);
}

const total = (row: readonly number[]): number => row.reduce((sum, each) => sum + each, 0);

describe("maximum likelihood and minimum divergence", () => {
  test("the expected log-likelihood is the mean over the data", () => {
    fc.assert(
      fc.property(cases, ({ shape, pairs, models: [model] }) => {
        const mean = total(pairs.map(([x, y]) => model![x]![y]!)) / pairs.length;
        expect(expectedLogLikelihood(empirical(shape, pairs), model!)).toBeCloseTo(mean, 10);
      }),
    );
  });

  test("the conditional entropy is that of the pair less that of x", () => {
    fc.assert(
      fc.property(cases, ({ shape, pairs }) => {
        const data = empirical(shape, pairs);
        expect(conditionalEntropy(data)).toBeCloseTo(entropy(data.flat()) - entropy(data.map(total)), 10);
      }),
    );
  });

  test("the two objectives add up to minus the conditional entropy, whatever the model", () => {
    fc.assert(
      fc.property(cases, ({ shape, pairs, models }) => {
        const data = empirical(shape, pairs);
        for (const model of models) {
          const both = expectedLogLikelihood(data, model) + expectedDivergence(data, model);
          expect(both).toBeCloseTo(-conditionalEntropy(data), 10);
        }
      }),
    );
  });

  test("one model gains in likelihood over another what it loses in divergence", () => {
    fc.assert(
      fc.property(cases, ({ shape, pairs, models: [a, b] }) => {
        const data = empirical(shape, pairs);
        const gain = expectedLogLikelihood(data, a!) - expectedLogLikelihood(data, b!);
        expect(expectedDivergence(data, b!) - expectedDivergence(data, a!)).toBeCloseTo(gain, 10);
      }),
    );
  });

  test("a divergence is never negative, and 0 for the model that is the data", () => {
    fc.assert(
      fc.property(cases, ({ shape, pairs, models }) => {
        const data = empirical(shape, pairs);
        for (const model of models) expect(expectedDivergence(data, model)).toBeGreaterThan(-1e-12);
        const fitted = data.map((row) => row.map((probability) => Math.log(probability / total(row))));
        expect(expectedDivergence(data, fitted)).toBeCloseTo(0, 10);
      }),
    );
  });

  test("a model that rules out what was seen loses on both sides, without a NaN", () => {
    const data = [[0.5, 0.5, 0]];
    const model = [[0, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]];
    expect(expectedLogLikelihood(data, model)).toBe(Number.NEGATIVE_INFINITY);
    expect(expectedDivergence(data, model)).toBe(Number.POSITIVE_INFINITY);
  });
});
