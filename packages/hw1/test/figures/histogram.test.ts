import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binned, histogram, jointHistogram, likelihoodAxis } from "../../src/figures/histogram.ts";
import { LIGHT } from "../../src/figures/theme.ts";
import { median } from "../../src/median.ts";
import type { SetLikelihoods } from "../../src/results.ts";

const values = fc.array(fc.double({ min: -3000, max: 0, noNaN: true }), { maxLength: 60 });

function set(logLikelihoods: readonly number[]): SetLikelihoods {
  return { name: "set", title: "A set", file: "set.txt", logLikelihoods, characters: logLikelihoods.map(() => 100) };
}

describe("the axis of the histograms", () => {
  it("goes from -600 to 0, and further down in steps of 200 only for values below", () => {
    expect(likelihoodAxis([set([-600, -1, 0])])).toEqual([-600, 0]);
    expect(likelihoodAxis([])).toEqual([-600, 0]);
    expect(likelihoodAxis([set([-10]), set([-600.5])])).toEqual([-800, 0]);
    expect(likelihoodAxis([set([-1000]), set([-1])])).toEqual([-1000, 0]);
  });

  it.each([Number.NaN, Number.NEGATIVE_INFINITY, 0.5])(
    "is refused for %d, with the set and the value named",
    (value) => {
      expect(() => likelihoodAxis([set([-1, value])])).toThrow(
        new RangeError(`set: log-likelihood 1 is ${value}, expected a finite number of at most 0`),
      );
    },
  );
});

describe("the bins of a histogram", () => {
  it("hold every value once, in the bin that it lies in", () => {
    fc.assert(
      fc.property(values, (list) => {
        const bins = binned(list, likelihoodAxis([set(list)]));
        expect(bins.reduce((sum, { texts }) => sum + texts, 0)).toBe(list.length);
        for (const { from, to, texts } of bins) {
          expect(texts).toBe(list.filter((value) => value >= from && (value < to || (to === 0 && value === 0))).length);
        }
      }),
    );
  });

  it("hold no value below an axis that is given, and the figure says how many there are", () => {
    const list = [-900, -601, -600, -5];
    expect(binned(list, [-600, 0]).reduce((sum, { texts }) => sum + texts, 0)).toBe(2);
    const svg = histogram(set(list), { theme: LIGHT, axis: [-600, 0], series: 0 });
    expect(barHeights(svg)).toHaveLength(2);
    expect(svg).toContain("4 texts; median −601 nats; not shown: 2 below −600");
  });

  it("are drawn as bars whose heights are the counts", () => {
    const svg = histogram(set([-590, -410, -405, -401, -50, -10]), { theme: LIGHT, axis: [-600, 0], series: 0 });
    const heights = barHeights(svg);
    const unit = Math.min(...heights);
    expect(heights.map((height) => Math.round((height / unit) * 1000) / 1000)).toEqual([1, 3, 1, 1]);
  });
});

describe("a histogram", () => {
  it("states how many texts there are and their median", () => {
    expect(histogram(set([-300, -200, -100.4]), { theme: LIGHT, axis: [-600, 0], series: 0 })).toContain(
      "3 texts; the dashed line is their median, −200 nats",
    );
    expect(jointHistogram([set([-300]), set([-10, -20])], { theme: LIGHT, axis: [-600, 0] })).toMatch(
      /A set: 1 text, median −300 nats.*A set: 2 texts, median −15 nats/s,
    );
  });

  it("of no texts has no bars and says so", () => {
    const svg = histogram(set([]), { theme: LIGHT, axis: [-600, 0], series: 0 });
    expect(svg).toContain(">0 texts<");
    expect(barHeights(svg)).toEqual([]);
  });
});

describe("the median", () => {
  it("leaves no more than half of the values below it and no more than half above", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 0 }), { minLength: 1 }), (list) => {
        const middle = median(list)!;
        expect(list.filter((value) => value < middle).length).toBeLessThanOrEqual(list.length / 2);
        expect(list.filter((value) => value > middle).length).toBeLessThanOrEqual(list.length / 2);
      }),
    );
  });

  it("is the mean of the middle two of an even number, and nothing of none", () => {
    expect(median([-4, -1, -10, -2])).toBe(-3);
    expect(median([])).toBeUndefined();
  });
});

function barHeights(svg: string): number[] {
  const bars = /<g [^>]*aria-label="rect"[^>]*>(.*?)<\/g>/s.exec(svg)?.[1] ?? "";
  return [...bars.matchAll(/ height="([^"]+)"/g)].map(([, height]) => Number(height));
}
