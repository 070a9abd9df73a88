import { vi } from "vitest";

/** What a property runs that does not say how often: fast-check's own number. */
const USUAL_RUNS = 100;
const TIMES = Number(process.env["LONG_TIMES"] ?? 10);

interface Parameters {
  readonly numRuns?: number;
}

vi.mock("fast-check", async (importOriginal) => {
  const { default: fc } = await importOriginal<typeof import("fast-check")>();
  const assert = fc.assert as (property: unknown, parameters?: Parameters) => unknown;
  return {
    default: {
      ...fc,
      assert: (property: unknown, parameters: Parameters = {}) =>
        assert(property, { ...parameters, numRuns: TIMES * (parameters.numRuns ?? USUAL_RUNS) }),
    },
  };
});
