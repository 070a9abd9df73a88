import { expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import { type Tensor, valueAndGrad } from "../../src/index.ts";
import { type Case, cases } from "../autograd/cases.ts";
import { scalar } from "../autograd/differences.ts";
import { describeOnGpu } from "./modes.ts";

async function gradients([, make, f]: Case, device: Backend): Promise<Float32Array[]> {
  const xs = make(device);
  const found = valueAndGrad(xs, () => scalar(f(...xs))).gradients as readonly Tensor[];
  return Promise.all(found.map((gradient) => gradient.data()));
}

await describeOnGpu("gradients", (device) => {
  test.each(cases)("of %s are the reference device's, and nothing is read back on the way", async (...one) => {
    const expected = await gradients(one as unknown as Case, referenceBackend);
    for (const [i, found] of (await gradients(one as unknown as Case, device)).entries()) {
      for (const [j, value] of expected[i]!.entries()) {
        expect(Math.abs(found[j]! - value)).toBeLessThan(2e-3 * Math.max(1, Math.abs(value)));
      }
    }
  });
});
