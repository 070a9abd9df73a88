import { Generator } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bimodalLogDensity, gaussianGap, lowerBoundOfGap, modes, normalCdf } from "../../src/written/bimodal.ts";
import {
  confidenceBand,
  distanceFromMixture,
  sampleForward,
  sheetForward,
  sheetReverse,
} from "../../src/written/gaussian-autoregressive.ts";

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const between = (low: number, high: number) => number(Math.log(low), Math.log(high)).map(Math.exp);

const gaussian = (x: number, mean: number, variance: number): number =>
  Math.exp(-((x - mean) ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance);
const mixture = (x: number, variance: number): number => (gaussian(x, 0, variance) + gaussian(x, 1, variance)) / 2;

/** KL from the mixture to a Gaussian by Simpson's rule, straight from the definition. */
function divergence(variance: number, mean: number, otherVariance: number): number {
  const [low, high, steps] = [-9 * Math.sqrt(variance), 1 + 9 * Math.sqrt(variance), 8000];
  const width = (high - low) / steps;
  let integral = 0;
  for (let i = 0; i <= steps; i++) {
    const x = low + i * width;
    const p = mixture(x, variance);
    const logQ = -((x - mean) ** 2) / (2 * otherVariance) - Math.log(2 * Math.PI * otherVariance) / 2;
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    integral += (weight * width * p * (Math.log(p) - logQ)) / 3;
  }
  return integral;
}

describe("the marginal of x_2 in the forward model", () => {
  test("is the mixture 1/2 N(0, ε) + 1/2 N(1, ε), as samples show, and not one of another variance", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31), between(0.001, 1), (seed, variance) => {
        const generator = new Generator(seed);
        const samples = Array.from({ length: 20_000 }, () => sampleForward(generator, variance));
        const band = confidenceBand(samples.length, 1e-9);
        expect(distanceFromMixture(samples, variance)).toBeLessThan(band);
        expect(distanceFromMixture(samples, 2 * variance)).toBeGreaterThan(band);
      }),
      { numRuns: 20 },
    );
  });

  test("has the density of the mixture, and its logarithm far away too", () => {
    fc.assert(
      fc.property(between(0.01, 1), number(-1, 2), (variance, x) => {
        expect(Math.exp(bimodalLogDensity(x, variance))).toBeCloseTo(mixture(x, variance), 10);
      }),
    );
    expect(bimodalLogDensity(1000, 0.01)).toBeCloseTo(
      -(999 ** 2) / 0.02 - Math.log(2 * Math.PI * 0.01) / 2 - Math.LN2,
      6,
    );
  });

  test("has the distribution function whose slope is the Gaussian's density", () => {
    fc.assert(
      fc.property(number(-3, 3), number(-1, 1), between(0.1, 4), (x, mean, variance) => {
        const step = 1e-4;
        const slope = (normalCdf(x + step, mean, variance) - normalCdf(x - step, mean, variance)) / (2 * step);
        expect(slope).toBeCloseTo(gaussian(x, mean, variance), 5);
      }),
    );
    expect(normalCdf(0.5, 0.5, 2)).toBe(0.5);
  });

  test("has two modes if and only if ε < 1/4, as a search along the density finds", () => {
    const variances = fc.oneof(between(0.002, 0.248), between(0.252, 2));
    fc.assert(
      fc.property(variances, (variance) => {
        const step = 1 / 2000;
        const density = Array.from({ length: 6001 }, (_, i) => bimodalLogDensity(-1 + i * step, variance));
        const peaks = density.flatMap((here, i) =>
          here > density[i - 1]! && here > density[i + 1]! ? [-1 + i * step] : [],
        );
        const found = modes(variance);
        expect(found.length).toBe(variance < 1 / 4 ? 2 : 1);
        expect(peaks.length).toBe(found.length);
        for (const [i, peak] of peaks.entries()) expect(Math.abs(found[i]! - peak)).toBeLessThanOrEqual(step);
      }),
    );
  });

  test("splits its mode at ε = 1/4 exactly, as √(3 (1/ε - 4) / 16) to both sides", () => {
    expect(modes(0.25)).toEqual([0.5]);
    for (const below of [1e-4, 1e-6, 1e-8]) {
      const [left, right] = modes(0.25 - below) as [number, number];
      const expected = Math.sqrt((3 * (1 / (0.25 - below) - 4)) / 16);
      expect((right - left) / 2 / expected).toBeCloseTo(1, 3);
    }
  });
});

describe("the gap to a single Gaussian", () => {
  test("is the divergence by quadrature of its definition, with the mixture's own mean and variance", () => {
    fc.assert(
      fc.property(between(0.002, 3), (variance) => {
        expect(gaussianGap(variance)).toBeCloseTo(divergence(variance, 0.5, variance + 0.25), 9);
      }),
    );
  });

  test("is what no other Gaussian gets below", () => {
    fc.assert(
      fc.property(between(0.002, 3), number(-2, 3), between(0.05, 10), (variance, mean, otherVariance) => {
        expect(divergence(variance, mean, otherVariance)).toBeGreaterThan(gaussianGap(variance) - 1e-9);
      }),
    );
  });

  test("is at least its lower bound, which is above 0 for every ε and grows without bound as ε falls", () => {
    fc.assert(
      fc.property(between(1e-6, 3), (variance) => {
        expect(lowerBoundOfGap(variance)).toBeGreaterThan(0);
        expect(gaussianGap(variance)).toBeGreaterThanOrEqual(lowerBoundOfGap(variance) - 1e-13);
      }),
    );
    expect(lowerBoundOfGap(1e-12)).toBeGreaterThan(12);
  });

  test("has, for larger ε, the lower bound that Pinsker's inequality gives with expectations by quadrature", () => {
    for (const variance of [0.2, 0.5, 1, 2]) {
      const bounds = Array.from({ length: 99 }, (_, i) => {
        const [t, width] = [(i + 1) / 10, 1 / 50];
        let difference = 0; // E_p[cos t(x - 1/2)] - E_q[cos t(x - 1/2)]
        for (let x = -15; x <= 16; x += width) {
          const p = mixture(x, variance) - gaussian(x, 0.5, variance + 0.25);
          difference += width * p * Math.cos(t * (x - 0.5));
        }
        return difference ** 2 / 2;
      });
      expect(lowerBoundOfGap(variance) / Math.max(...bounds)).toBeCloseTo(1, 9);
    }
  });

  test("has lower bounds that are near: within a hundredth of the gap for ε up to 0.01, a fortieth of it up to 0.5", () => {
    fc.assert(fc.property(between(1e-6, 0.01), (variance) => lowerBoundOfGap(variance) > 0.99 * gaussianGap(variance)));
    fc.assert(fc.property(between(0.01, 0.5), (variance) => lowerBoundOfGap(variance) > gaussianGap(variance) / 40));
  });
});

describe("the answer sheet's X_2 = X_1 + noise", () => {
  test("is in the hypothesis space of both models", () => {
    fc.assert(
      fc.property(number(-4, 4), number(-4, 4), between(0.05, 5), (x1, x2, variance) => {
        const forward = Math.log(gaussian(x1, 0, 1) * gaussian(x2, x1, variance));
        if (forward < -600) return; // the densities of this test would underflow
        expect(sheetForward(x1, x2, variance)).toBeCloseTo(forward, 9);
        expect(sheetReverse(x1, x2, variance)).toBeCloseTo(forward, 9);
      }),
    );
  });
});
