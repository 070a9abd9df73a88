import { appendFileSync } from "node:fs";
import { expect, vi } from "vitest";

/** What a property runs that does not say how often: fast-check's own number. */
const USUAL_RUNS = 100;
const TIMES = Number(process.env["LONG_TIMES"] ?? 10);
/** Where draws begin; with a seed of its own, each round of `npm run soak` draws other values. */
const SEED = process.env["LONG_SEED"];
/** A file to which each property adds a line: how many values it held for. */
const RECORD = process.env["LONG_RECORD"];

interface Parameters {
  readonly numRuns?: number;
  readonly seed?: number;
}

vi.mock("fast-check", async (importOriginal) => {
  const { default: fc } = await importOriginal<typeof import("fast-check")>();
  const original = fc.assert as (property: unknown, parameters?: Parameters) => unknown;
  const assert = (property: unknown, parameters: Parameters = {}): unknown => {
    const numRuns = TIMES * (parameters.numRuns ?? USUAL_RUNS);
    const { currentTestName: test } = expect.getState();
    const held = (): void => {
      if (RECORD !== undefined) appendFileSync(RECORD, `${JSON.stringify({ test, runs: numRuns })}\n`);
    };
    const outcome = original(property, { ...parameters, ...(SEED !== undefined && { seed: Number(SEED) }), numRuns });
    if (outcome instanceof Promise) return outcome.then(held);
    held();
    return outcome;
  };
  return { default: { ...fc, assert } };
});
