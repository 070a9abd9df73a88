import fc from "fast-check";
import { expect, test } from "vitest";
import type { View } from "../../src/backends/backend.ts";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import type { DType } from "../../src/dtype.ts";
import { tensor, truncDiv, where } from "../../src/index.ts";
import * as binary from "../../src/ops/binary.ts";
import { operand } from "../ops/arbitraries.ts";
import { expectValues } from "../ops/compare.ts";
import { evaluate, evaluateLater } from "../ops/operands.ts";
import { describeOnGpu } from "./modes.ts";

const runs = {
  seed: Number(process.env["PROPERTY_SEED"] ?? 2026),
  numRuns: Number(process.env["PROPERTY_RUNS"] ?? 60),
};
const dtype = fc.constantFrom<DType>("float32", "int32", "uint8", "bool");
const number = fc.oneof(
  fc.constantFrom(0, 1, 0.5, -1, 1.5, 300, 2 ** 31, -(2 ** 40)),
  fc.integer({ min: -9, max: 300 }),
);
const { eq, ne, lt, le, gt, ge, maximum, minimum } = binary;
const comparisons = { eq, ne, lt, le, gt, ge };
const all = { ...comparisons, maximum, minimum };
const name = <T extends object>(ops: T) => fc.constantFrom(...(Object.keys(ops) as (keyof T)[]));

await describeOnGpu("element types", (backend) => {
  /** Checks that the device gives what the reference gives. */
  async function agree(drawn: Parameters<typeof evaluate>[1], compute: (views: View[]) => View): Promise<void> {
    const actual = await evaluateLater(backend, drawn, compute);
    expectValues(actual, evaluate(referenceBackend, drawn, compute), { ulps: 0, anyZero: true });
  }

  test("two of them are compared and chosen from as on the reference", async () => {
    const samples = fc
      .tuple(dtype, dtype)
      .chain(([a, b]) => fc.tuple(operand([3, 5], a, "whole", "any"), operand([5], b, "whole", "any"), name(all)));
    await fc.assert(
      fc.asyncProperty(samples, ([x, y, op]) => agree([x, y], ([a, b]) => all[op](a!, b!))),
      runs,
    );
  });

  test("any number may be compared with", async () => {
    const samples = dtype.chain((a) => fc.tuple(operand([3, 5], a, "whole", "any"), number, name(comparisons)));
    await fc.assert(
      fc.asyncProperty(samples, ([x, value, op]) => agree([x], ([a]) => comparisons[op](a!, value))),
      runs,
    );
  });

  test("integers divide in float32, or cut, where 0 is refused when the result is read", async () => {
    const x = tensor([7, -7], { dtype: "int32", device: backend });
    expect(await x.div(2).toList()).toEqual([3.5, -3.5]);
    expect(await truncDiv(x, 2).toList()).toEqual([3, -3]);
    await expect(truncDiv(x, 0).data()).rejects.toThrow("truncDiv: 7 / 0 has no int32");
    expect(await where(x.gt(0), 0.5, 0).toList()).toEqual([0.5, 0]);
    expect(() => x.mul(0.5)).toThrow("mul: int32 cannot hold 0.5");
  });
});
