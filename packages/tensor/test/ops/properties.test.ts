import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import { WasmBackend } from "../../src/backends/wasm/backend.ts";
import { otherBackends } from "../backends.ts";
import { expectValues } from "./compare.ts";
import { generators } from "./generators.ts";
import { evaluate } from "./operands.ts";
import { calls } from "./table.ts";
import { toleranceOf } from "./tolerances.ts";

/** Ops that only look at memory in another way: nothing to compare. */
const withoutKernel = ["reshape", "transpose", "permute", "slice", "select", "squeeze", "unsqueeze", "expand", "split"];

/** PROPERTY_SEED and PROPERTY_RUNS look elsewhere and longer. */
const runs = {
  seed: Number(process.env["PROPERTY_SEED"] ?? 2026),
  numRuns: Number(process.env["PROPERTY_RUNS"] ?? 60),
};

describe("the generators", () => {
  it("have a row for every op with a kernel", () => {
    expect([...Object.keys(generators), ...withoutKernel].sort()).toEqual(Object.keys(calls).sort());
  });
});

for (const { title, backend } of otherBackends) {
  describe(`${title} agrees with the reference over random shapes, strides and broadcasts`, () => {
    for (const [op, samples] of Object.entries(generators)) {
      it(op, () => {
        const used = backend instanceof WasmBackend ? backend.info().usedBytes : 0;
        fc.assert(
          fc.property(samples, ({ inputs, args }) => {
            const expected = evaluate(referenceBackend, inputs, (views) => calls[op]!(views, args));
            expectValues(
              evaluate(backend, inputs, (views) => calls[op]!(views, args)),
              expected,
              toleranceOf(op),
            );
          }),
          runs,
        );
        if (backend instanceof WasmBackend) expect(backend.info().usedBytes).toBe(used);
      });
    }
  });
}
