import { test } from "vitest";
import { type Case, cases, check, names } from "../functional/cases.ts";
import { describeOnGpu } from "./modes.ts";

/** Infinities and NaNs are nothing that WGSL promises; float32 may be a little further off than on wasm. */
const isPromised = ({ args, expected }: Case) => !/Infinity|NaN/.test(JSON.stringify([args, expected]));
const rounding = { ulps: 64, abs: 1e-4 };

await describeOnGpu("functions that are made of operations give what NumPy and PyTorch give", (device) => {
  for (const name of names) {
    const finite = cases.filter((each) => each.name === name && isPromised(each));
    if (finite.length === 0) continue;
    test(name, async () => {
      for (const one of finite) await check(one, device, rounding);
    });
  }
});
