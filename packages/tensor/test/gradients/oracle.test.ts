import { afterAll, describe, expect, it } from "vitest";
import { WasmBackend } from "../../src/backends/wasm/backend.ts";
import { fromData, tidy, valueAndGrad } from "../../src/index.ts";
import { backends, describeOnEveryBackend } from "../backends.ts";
import { casesOf, errorOf } from "./fixtures.ts";
import { samples } from "./samples.ts";

const worst = new Map<string, number>();

/** GRADIENT_ERRORS=1 prints the largest error of each op on all devices. */
afterAll(() => {
  if (process.env["GRADIENT_ERRORS"] === undefined) return;
  for (const [op, error] of [...worst].sort((a, b) => b[1] - a[1])) console.log(`${error.toExponential(1)} ${op}`);
});

describe("the fixtures", () => {
  it("have cases for every op that is not discrete", () => {
    expect([...casesOf.keys()].sort()).toEqual(Object.keys(samples).sort());
  });
});

describeOnEveryBackend("every op has the gradients that PyTorch computes", (device) => {
  for (const [op, cases] of casesOf) {
    it(`${op}, in ${cases.length} cases`, async () => {
      const used = device instanceof WasmBackend ? device.info().usedBytes : 0;
      for (const [n, sample] of cases.entries()) {
        const { args, inputs } = sample;
        const context = `case ${n}: ${JSON.stringify(args)} of ${inputs.map(({ shape, views }) => JSON.stringify({ shape, views }))}`;
        const error = await errorOf(sample, device);
        worst.set(op, Math.max(error, worst.get(op) ?? 0));
        expect(error, context).toBeLessThan(1e-5);
      }
      if (device instanceof WasmBackend) expect(device.info().usedBytes).toBe(used);
    });
  }
});

describe("a matrix that is packed on the way", () => {
  it.each(backends)("has the gradient of the one that was not, on $title", ({ backend: device }) => {
    const x = fromData([1, 2, 3, 4, 5, 6], [2, 3], { device });
    const w = fromData([3, -1, 4, 1, -5, 9], [3, 2], { device });
    const loss = (packed: boolean) => () =>
      tidy(() =>
        x
          .matmul(packed ? w.pack() : w)
          .square()
          .sum(),
      );
    const [plain, packed] = [false, true].map((p) => valueAndGrad({ x, w }, loss(p)).gradients);
    expect(packed!.w.toListSync()).toEqual(plain!.w.toListSync());
    expect(packed!.x.toListSync()).toEqual(plain!.x.toListSync());
  });
});
