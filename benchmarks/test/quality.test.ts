import { expect, test } from "vitest";
import { Comparison } from "../src/quality/measure.ts";

test("a model compared with itself loses nothing", () => {
  const comparison = new Comparison();
  comparison.add(Float32Array.of(1, 2, 3), Float32Array.of(1, 2, 3), 1);
  const { meanKl, maxError, rmsError, top1, perplexity, basePerplexity } = comparison.summary();
  expect({ meanKl, maxError, rmsError, top1 }).toEqual({ meanKl: 0, maxError: 0, rmsError: 0, top1: 1 });
  expect(perplexity).toBe(basePerplexity);
});

test("errors, divergence, agreement and perplexity are those worked out by hand", () => {
  const comparison = new Comparison();
  // Probabilities 1/2, 1/4, 1/4 against 1/4, 1/2, 1/4, whatever is added to all logits.
  comparison.add(Float32Array.of(Math.LN2, 0, 0), Float32Array.of(0, Math.LN2, 0), 1);
  comparison.add(Float32Array.of(5, 5 + Math.LN2, 5), Float32Array.of(0, Math.LN2, 0), undefined);
  const found = comparison.summary();
  expect(found.positions).toBe(2);
  expect(found.maxError).toBeCloseTo(5, 6);
  expect(found.rmsError).toBeCloseTo(Math.sqrt((2 * Math.LN2 ** 2 + 3 * 25) / 6), 6);
  expect(found.maxKl).toBeCloseTo((1 / 4) * Math.LN2, 6);
  expect(found.meanKl).toBeCloseTo((1 / 8) * Math.LN2, 6);
  expect(found.top1).toBe(0.5);
  expect(found.basePerplexity).toBeCloseTo(4, 6);
  expect(found.perplexity).toBeCloseTo(2, 6);
});
