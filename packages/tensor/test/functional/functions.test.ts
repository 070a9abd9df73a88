import { it } from "vitest";
import { describeOnEveryBackend } from "../backends.ts";
import { cases, check, names } from "./cases.ts";

/** Rounding of float32 in a handful of operations on numbers of a few dozens. */
const rounding = { ulps: 16, abs: 2e-5 };

describeOnEveryBackend("every function gives what NumPy and PyTorch give", (backend) => {
  for (const name of names) {
    it(name, async () => {
      for (const one of cases.filter((each) => each.name === name)) await check(one, backend, rounding);
    });
  }
});
