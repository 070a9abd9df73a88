import fc from "fast-check";
import { expect, test } from "vitest";
import { kernels } from "../../src/backends/gpu/kernels/index.ts";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import { arange, gelu, quickGelu, sigmoid, silu, tensor } from "../../src/index.ts";
import { expectValues } from "../ops/compare.ts";
import { generators } from "../ops/generators.ts";
import { evaluate, evaluateLater } from "../ops/operands.ts";
import { calls } from "../ops/table.ts";
import { describeOnGpu } from "./modes.ts";
import { gpuTolerance, tame } from "./samples.ts";

/** Why samples may run on wasm: the GPU holds floats, and there are operands without elements to reduce. */
const allowed = ["int32", "no elements", "no terms to sum"];

/** PROPERTY_SEED and PROPERTY_RUNS look elsewhere and longer. */
const runs = {
  seed: Number(process.env["PROPERTY_SEED"] ?? 2026),
  numRuns: Number(process.env["PROPERTY_RUNS"] ?? 30),
};

await describeOnGpu("ops agree with the reference over random shapes, strides and broadcasts", (backend) => {
  for (const op of [...kernels.keys()].sort()) {
    test(op, async () => {
      backend.fallbacks.clear();
      const { launches } = backend.info();
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
      const reasons = backend.fallbacks.entries().map(({ reason }) => reason);
      expect(reasons.filter((reason) => !allowed.includes(reason))).toEqual([]);
      expect(backend.info().launches).toBeGreaterThan(launches);
    });
  }
});

await describeOnGpu("functions of large arguments", (device) => {
  test("saturate where a formula would overflow", async () => {
    const x = tensor([-1e30, -60, 60, 1e30], { device });
    expect(await x.tanh().toList()).toEqual([-1, -1, 1, 1]);
    expectNear(await sigmoid(x).toList(), [0, 0, 1, 1]);
    const large = tensor([-1e30, -1e4, -60, 60, 1e4], { device });
    for (const f of [gelu, (v: typeof large) => gelu(v, "none"), silu, quickGelu]) {
      expectNear(await f(large).toList(), [-0, -0, -0, 60, 1e4]);
    }
  });

  test("give masked scores no weight, however far below the others they are", async () => {
    const scores = tensor([1000, -1e30, 1001, -3e38], { device });
    const [e0, e1] = [1 / (1 + Math.E), Math.E / (1 + Math.E)];
    expectNear(await scores.softmax(-1).toList(), [e0, 0, e1, 0]);
  });
});

await describeOnGpu("views of more axes than kernels take", (device) => {
  test("are computed with on wasm, which is recorded", async () => {
    device.fallbacks.clear();
    const x = arange(0, 96, 1, { device }).reshape([2, 3, 2, 2, 4]).permute([4, 1, 3, 0, 2]);
    const expected = arange(0, 96, 1, { device: "reference" }).reshape([2, 3, 2, 2, 4]).permute([4, 1, 3, 0, 2]);
    expect(await x.add(x).toList()).toEqual(expected.add(expected).toListSync());
    expect(device.fallbacks.entries()).toEqual([{ op: "add", reason: "more than 4 axes apart", count: 1 }]);
  });
});

function expectNear(actual: unknown, expected: readonly number[]): void {
  (actual as number[]).forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 6);
  });
}
