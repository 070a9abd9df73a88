import fc from "fast-check";
import { expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { kernels } from "../../src/backends/gpu/kernels/index.ts";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import { full, gelu, linear, logSumExp, type Tensor, tensor } from "../../src/index.ts";
import { expectValues } from "../ops/compare.ts";
import { generators } from "../ops/generators.ts";
import { evaluate, evaluateLater } from "../ops/operands.ts";
import { calls } from "../ops/table.ts";
import { describeOnGpu } from "./modes.ts";
import { gpuTolerance } from "./samples.ts";

const runs = {
  seed: Number(process.env["PROPERTY_SEED"] ?? 2026),
  numRuns: Number(process.env["PROPERTY_RUNS"] ?? 60),
};

await describeOnGpu(
  "ops agree with the reference on infinities, NaN and numbers of any size",
  (backend) => {
    for (const op of [...kernels.keys()].sort()) {
      test(op, async () => {
        await fc.assert(
          fc.asyncProperty(generators[op]!, async ({ inputs, args }) => {
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
  },
  ["webasm", "cpu"],
);

await describeOnGpu(
  "infinities and NaN in rows that several threads share",
  (device) => {
    const { POSITIVE_INFINITY: infinity, NaN: nan } = Number;
    const row = (value: (i: number) => number) => Float32Array.from({ length: 3000 }, (_, i) => value(i));
    const rows: Readonly<Record<string, Float32Array>> = {
      "masked at its start": row((i) => (i < 1500 ? -infinity : i / 1000)),
      "masked at its end": row((i) => (i < 1500 ? i / 1000 : -infinity)),
      masked: row(() => -infinity),
      "masked with the least float32": row(() => -3.4028234663852886e38),
      "with an infinity": row((i) => (i === 2000 ? infinity : i)),
      "with two NaNs": row((i) => (i === 1999 || i === 2700 ? nan : -i)),
    };
    for (const [title, data] of Object.entries(rows)) {
      test(`a row ${title}`, async () => {
        const results = (on: Backend) => {
          const x = tensor(data, { device: on });
          return [x.argMax(), x.argMin(), x.max(), logSumExp(x), x.softmax(0), x.logSoftmax(0)];
        };
        for (const [n, expected] of results(referenceBackend).entries()) {
          const actual = Array.from(await results(device)[n]!.data());
          const wanted = Array.from(expected.dataSync());
          const apart = actual.findIndex((v, i) => !(Object.is(v, wanted[i]) || Math.abs(v - wanted[i]!) <= 1e-5));
          expect(apart, `result ${n}: ${actual[apart]}, not ${wanted[apart]}`).toBe(-1);
        }
      });
    }

    test("gelu of −∞ and of the least float32 is 0, also behind a product", async () => {
      const x = tensor([[-infinity, -3.4028234663852886e38, infinity, -12.5]], { device });
      const [alone] = (await gelu(x).toList()) as number[][];
      expect(alone!.map((v) => v + 0)).toEqual([0, 0, infinity, 0]);
      for (const weight of [full([1, 1], 1), full([1, 8], 1)]) {
        const product = linear(x.transpose(), weight.to(device) as Tensor, undefined, { activation: "gelu" });
        const [first] = (await product.select(-1, 0).unsqueeze(0).toList()) as number[][];
        expect(first!.map((v) => v + 0)).toEqual([0, 0, infinity, 0]);
      }
    });
  },
  ["webasm", "cpu"],
);
