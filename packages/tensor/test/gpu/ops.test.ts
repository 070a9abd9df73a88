import fc from "fast-check";
import { test } from "vitest";
import { kernels } from "../../src/backends/gpu/kernels/index.ts";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import { expectValues } from "../ops/compare.ts";
import { generators } from "../ops/generators.ts";
import { evaluate, evaluateLater } from "../ops/operands.ts";
import { calls } from "../ops/table.ts";
import { describeOnGpu } from "./modes.ts";
import { gpuTolerance, tame } from "./samples.ts";

/** PROPERTY_SEED and PROPERTY_RUNS look elsewhere and longer. */
const runs = {
  seed: Number(process.env["PROPERTY_SEED"] ?? 2026),
  numRuns: Number(process.env["PROPERTY_RUNS"] ?? 30),
};

await describeOnGpu("ops agree with the reference over random shapes, strides and broadcasts", (backend) => {
  for (const op of [...kernels.keys()].sort()) {
    test(op, async () => {
      await fc.assert(
        fc.asyncProperty(generators[op]!, async (sample) => {
          const { inputs, args } = tame(sample, op);
          expectValues(
            await evaluateLater(backend, inputs, (views) => calls[op]!(views, args)),
            evaluate(referenceBackend, inputs, (views) => calls[op]!(views, args)),
            gpuTolerance(op),
          );
        }),
        runs,
      );
    });
  }
});
