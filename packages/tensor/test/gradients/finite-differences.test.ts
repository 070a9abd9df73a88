import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { rules } from "../../src/autograd/rules/index.ts";
import { calls } from "../ops/table.ts";
import { largestError } from "./finite-differences.ts";
import { discrete, samples } from "./samples.ts";

/** GRADIENT_RUNS looks longer; GRADIENT_ERRORS=1 prints the largest error of each op. */
const numRuns = Number(process.env["GRADIENT_RUNS"] ?? 10);
const worst = new Map<string, number>();

afterAll(() => {
  if (process.env["GRADIENT_ERRORS"] === undefined) return;
  for (const [op, error] of [...worst].sort((a, b) => b[1] - a[1])) console.log(`${error.toExponential(1)} ${op}`);
});

describe("every op's gradient is the slope of its results, within 1e-6, over random shapes, strides and broadcasts", () => {
  for (const [op, drawn] of Object.entries(samples)) {
    it(op, () => {
      fc.assert(
        fc.property(drawn, (sample) => {
          const error = largestError({ op, ...sample });
          worst.set(op, Math.max(error, worst.get(op) ?? 0));
          expect(error).toBeLessThan(1e-6);
        }),
        { numRuns, seed: 15 },
      );
    });
  }
});

describe("the samples", () => {
  it("have a row for every op that is not discrete", () => {
    expect([...Object.keys(samples), ...discrete].sort()).toEqual(Object.keys(calls).sort());
  });

  it("have a row for every op with a rule", () => {
    const names = Array.from(rules.keys(), ({ name }) => name);
    expect(names.filter((name) => !(name in samples))).toEqual(["pack"]); // below, on devices that pack
    expect(names.length).toBeGreaterThan(50);
  });
});
