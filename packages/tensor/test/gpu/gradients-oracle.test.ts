import { expect, test } from "vitest";
import { casesOf, errorOf } from "../gradients/fixtures.ts";
import { describeOnGpu } from "./modes.ts";

/** Infinities and NaNs are nothing that WGSL promises. */
const isPromised = (one: object) => !/Infinity|NaN/.test(JSON.stringify(one));

await describeOnGpu("every op has the gradients that PyTorch computes", (device) => {
  for (const [op, cases] of casesOf) {
    test(op, async () => {
      for (const [n, one] of cases.filter(isPromised).entries()) {
        expect(await errorOf(one, device), `case ${n}: ${JSON.stringify(one.args)}`).toBeLessThan(1e-4);
      }
    });
  }
});
