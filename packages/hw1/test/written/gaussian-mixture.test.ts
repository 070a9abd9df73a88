import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Mixture,
  mixturePosterior,
  posteriorFromDensities,
  regressionPosterior,
  softmaxRegression,
} from "../../src/written/gaussian-mixture.ts";

/** A mixture and a point: `entry` for means and point, `sigma` for the shared standard deviation. */
function mixtures(entry: fc.Arbitrary<number>, sigma: fc.Arbitrary<number>) {
  return fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 4 })).chain(([k, n]) => {
    const vector = fc.array(entry, { minLength: n, maxLength: n });
    const odds = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: k, maxLength: k });
    return fc.record({
      priors: odds.map((each) => each.map((one) => one / each.reduce((a, b) => a + b))),
      means: fc.array(vector, { minLength: k, maxLength: k }),
      sigma,
      x: vector,
    });
  });
}

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const ordinary = mixtures(number(-5, 5), number(0.5, 5));
const powerOf10 = (min: number, max: number) => number(min, max).map((exponent) => 10 ** exponent);
const anywhere = fc.oneof(
  powerOf10(-30, 30),
  powerOf10(-30, 30).map((value) => -value),
);

const regression = (mixture: Mixture, x: readonly number[]): number[] =>
  regressionPosterior(softmaxRegression(mixture), x);

/** How far rounding may move a score x·w_y + b_y in float64, γ included. */
function roundingOf(mixture: Mixture, x: readonly number[]): number {
  const { weights, biases } = softmaxRegression(mixture);
  const sizes = weights.map((w, y) => w.reduce((sum, each, j) => sum + Math.abs(each * x[j]!), Math.abs(biases[y]!)));
  return 2 ** -53 * 16 * (1 + Math.max(...sizes));
}

const closest = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((each, y) => Math.abs(each - b[y]!)));

describe("a mixture of Gaussians and its softmax regression", () => {
  test("both have the posterior of Bayes' rule in densities, where those do not underflow", () => {
    fc.assert(
      fc.property(ordinary, ({ x, ...mixture }) => {
        const densities = mixture.means.map((mean, y) => {
          const exponent = mean.reduce((sum, each, j) => sum - ((x[j]! - each) / mixture.sigma) ** 2 / 2, 0);
          return mixture.priors[y]! * Math.exp(exponent);
        });
        const total = densities.reduce((a, b) => a + b);
        for (const [y, density] of densities.entries()) {
          expect(Math.exp(mixturePosterior(mixture, x)[y]!)).toBeCloseTo(density / total, 9);
          expect(Math.exp(regression(mixture, x)[y]!)).toBeCloseTo(density / total, 9);
          expect(posteriorFromDensities(mixture, x)[y]!).toBeCloseTo(density / total, 9);
        }
      }),
    );
  });

  test("the log-posteriors are equal to rounding, also for σ from 10^-30 and points up to 10^30 away", () => {
    fc.assert(
      fc.property(mixtures(anywhere, powerOf10(-30, 30)), ({ x, ...mixture }) => {
        const difference = closest(mixturePosterior(mixture, x), regression(mixture, x));
        expect(difference).toBeLessThanOrEqual(roundingOf(mixture, x));
      }),
      { numRuns: 500 },
    );
  });

  test("neither posterior has a NaN or fails to add up to 1, however small σ and far the point", () => {
    fc.assert(
      fc.property(mixtures(anywhere, powerOf10(-30, 30)), ({ x, ...mixture }) => {
        for (const posterior of [mixturePosterior(mixture, x), regression(mixture, x)]) {
          expect(posterior.reduce((sum, each) => sum + Math.exp(each), 0)).toBeCloseTo(1, 12);
        }
      }),
    );
  });

  test("for tiny σ Bayes' rule gives the log-odds that exact integers give", () => {
    const integer = fc.integer({ min: -1000, max: 1000 });
    const two = (size: number) =>
      fc.array(fc.array(integer, { minLength: size, maxLength: size }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }).chain(two), fc.integer({ min: 1, max: 200 }), ([a, b, x], j) => {
        const [log0, log1] = mixturePosterior({ priors: [0.5, 0.5], means: [a!, b!], sigma: 2 ** -j }, x!);
        const squared = (mean: number[]): bigint =>
          mean.reduce((sum, each, i) => sum + BigInt(x![i]! - each) ** 2n, 0n);
        const odds = Number(squared(b!) - squared(a!)) * 2 ** (2 * j - 1); // (|x-b|² - |x-a|²) / 2σ²
        expect(log0! - log1!).toBe(odds);
      }),
    );
  });

  test("what all means have in common does not matter, however far the point is along it", () => {
    fc.assert(
      fc.property(ordinary, number(-1e15, 1e15), ({ x, ...mixture }, far) => {
        const means = mixture.means.map((mean) => [...mean, 0]);
        expect(mixturePosterior({ ...mixture, means }, [...x, far])).toEqual(mixturePosterior(mixture, x));
        expect(regression({ ...mixture, means }, [...x, far])).toEqual(regression(mixture, x));
      }),
    );
  });

  test("a constant shared by all biases changes nothing", () => {
    fc.assert(
      fc.property(ordinary, number(-100, 100), ({ x, ...mixture }, constant) => {
        const { weights, biases } = softmaxRegression(mixture);
        const shifted = { weights, biases: biases.map((bias) => bias + constant) };
        expect(closest(regressionPosterior(shifted, x), regression(mixture, x))).toBeLessThan(1e-10);
      }),
    );
  });
});
