import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bias, expectedLog, limitOfBias } from "../../src/written/log-monte-carlo.ts";
import { type LatentModel, logExpectation, logMarginal, outcomes } from "../../src/written/monte-carlo.ts";

/** Up to three values of z, some perhaps impossible, with log p(x|z) from `logLikelihood`. */
function models(logLikelihood: fc.Arbitrary<number>, minLength = 1, maxLength = 3): fc.Arbitrary<LatentModel> {
  const value = fc.tuple(fc.nat(20), logLikelihood);
  return fc
    .array(value, { minLength, maxLength })
    .filter((values) => values.some(([odds]) => odds > 0))
    .map((values) => {
      const total = values.reduce((sum, [odds]) => sum + odds, 0);
      return { prior: values.map(([odds]) => odds / total), logLikelihoods: values.map(([, log]) => log) };
    });
}

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const ordinary = models(number(-3, 0));
const draws = fc.integer({ min: 1, max: 4 });

/** E[f(A)] over every sequence of k draws, in probabilities. */
function expectation({ prior, logLikelihoods }: LatentModel, k: number, f: (estimate: number) => number): number {
  let total = 0;
  const visit = (drawn: number, probability: number, sum: number): void => {
    if (probability === 0) return;
    if (drawn === k) total += probability * f(sum / k);
    else for (const [z, p] of prior.entries()) visit(drawn + 1, probability * p, sum + Math.exp(logLikelihoods[z]!));
  };
  visit(0, 1, 0);
  return total;
}

function marginal({ prior, logLikelihoods }: LatentModel): number {
  return prior.reduce((sum, p, z) => sum + p * Math.exp(logLikelihoods[z]!), 0);
}

/** The largest difference of log p(x|z) between two possible values of z. */
function spread({ prior, logLikelihoods }: LatentModel): number {
  const possible = logLikelihoods.filter((_, z) => prior[z]! > 0);
  return Math.max(...possible) - Math.min(...possible);
}

describe("the Monte Carlo estimate A", () => {
  test("has outcomes whose probabilities add up to 1, of k draws each, none of an impossible z", () => {
    fc.assert(
      fc.property(ordinary, draws, (model, k) => {
        const all = [...outcomes(model, k)];
        expect(all.reduce((sum, { logProbability }) => sum + Math.exp(logProbability), 0)).toBeCloseTo(1, 12);
        for (const { counts } of all) {
          expect(counts.length).toBe(model.prior.filter((p) => p > 0).length);
          expect(counts.reduce((a, b) => a + b)).toBe(k);
        }
      }),
    );
  });

  test("has the expectation that summing over every sequence of draws gives, which is p(x)", () => {
    fc.assert(
      fc.property(ordinary, draws, (model, k) => {
        const exact = expectation(model, k, (estimate) => estimate);
        expect(exact).toBeCloseTo(marginal(model), 12);
        expect(Math.exp(logExpectation(model, k))).toBeCloseTo(exact, 12);
        expect(Math.exp(logMarginal(model))).toBeCloseTo(exact, 12);
      }),
    );
  });

  test("is unbiased also for likelihoods far below the smallest float64, as those of long texts are", () => {
    fc.assert(
      fc.property(models(number(-5000, -1000), 1, 4), draws, (model, k) => {
        expect(logExpectation(model, k)).toBeCloseTo(logMarginal(model), 9);
      }),
    );
  });
});

describe("log A", () => {
  test("has the expectation that summing over every sequence of draws gives", () => {
    fc.assert(
      fc.property(ordinary, draws, (model, k) => {
        const exact = expectation(model, k, Math.log);
        expect(expectedLog(model, k)).toBeCloseTo(exact, 11);
        expect(bias(model, k)).toBeCloseTo(exact - Math.log(marginal(model)), 11);
      }),
    );
  });

  test("is on average at most log p(x), and less unless p(x|z) is the same for every possible z", () => {
    fc.assert(
      fc.property(models(number(-3, 0), 2, 4), draws, (model, k) => {
        expect(bias(model, k)).toBeLessThan(1e-14);
        if (spread(model) > 1e-3) expect(bias(model, k)).toBeLessThan(-1e-10); // odds are at least 1 in 80
      }),
    );
  });

  test("is unbiased where p(x|z) is constant on the support, whatever it is off it", () => {
    fc.assert(
      fc.property(ordinary, number(-800, 0), draws, ({ prior, logLikelihoods }, constant, k) => {
        const logs = prior.map((p, z) => (p > 0 ? constant : logLikelihoods[z]!));
        expect(bias({ prior, logLikelihoods: logs }, k)).toBeCloseTo(0, 11);
      }),
    );
  });

  test("contradicts the answer sheet's log p(x) ≤ E[log A] for a fair coin of 0.2 and 0.8, by log 0.5 - log 0.4", () => {
    const coin = { prior: [0.5, 0.5], logLikelihoods: [Math.log(0.2), Math.log(0.8)] };
    expect(expectedLog(coin, 1)).toBeCloseTo(Math.log(0.4), 14);
    expect(logMarginal(coin) - expectedLog(coin, 1)).toBeCloseTo(Math.log(1.25), 14);
  });

  test("gets no worse with one more draw", () => {
    fc.assert(
      fc.property(ordinary, fc.integer({ min: 1, max: 12 }), (model, k) => {
        expect(expectedLog(model, k + 1)).toBeGreaterThan(expectedLog(model, k) - 1e-13);
      }),
    );
  });

  test("has a bias of -Var/(2kp²) for many draws, with the next term of the delta method and 1/k³ left", () => {
    fc.assert(
      fc.property(models(number(-1, 0), 2, 2), fc.integer({ min: 100, max: 400 }), (model, k) => {
        const p = marginal(model);
        /** E[(p(x|z)/p(x) - 1)^n]. */
        const moment = (n: number): number =>
          model.prior.reduce((sum, each, z) => sum + each * (Math.exp(model.logLikelihoods[z]!) / p - 1) ** n, 0);
        expect(limitOfBias(model)).toBeCloseTo(-moment(2) / 2, 12);
        const second = moment(3) / 3 - (3 * moment(2) ** 2) / 4;
        expect(Math.abs(k * bias(model, k) - limitOfBias(model) - second / k)).toBeLessThan(2 / k ** 2);
      }),
    );
  });

  test("is minus infinity on average if a possible z rules x out", () => {
    const model = { prior: [0.5, 0.5], logLikelihoods: [-1, Number.NEGATIVE_INFINITY] };
    expect(expectedLog(model, 3)).toBe(Number.NEGATIVE_INFINITY);
    expect(logExpectation(model, 3)).toBeCloseTo(-1 - Math.LN2, 12);
  });
});
