import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accuracy, rocCurve } from "../../src/classifier.ts";
import { operatingPoint } from "../../src/figures/roc.ts";

const scores = fc.array(fc.integer({ min: -30, max: 30 }), { minLength: 1, maxLength: 20 });

describe("the point of a threshold on a ROC curve", () => {
  it("has the accuracy that the threshold has", () => {
    fc.assert(
      fc.property(scores, scores, fc.double({ min: -40, max: 40, noNaN: true }), (random, real, threshold) => {
        const { truePositiveRate, falsePositiveRate } = operatingPoint(rocCurve(random, real), threshold)!;
        const right = truePositiveRate * random.length + (1 - falsePositiveRate) * real.length;
        expect(right / (random.length + real.length)).toBeCloseTo(accuracy(random, real, threshold), 12);
      }),
    );
  });
});
