import { expect, test } from "vitest";
import { amount, duration } from "../src/amount.ts";

test.each([
  [0, "0 tokens"],
  [1, "1 token"],
  [1234567, "1,234,567 tokens"],
])("%d of a unit", (count, told) => {
  expect(amount(count, "token")).toBe(told);
});

test.each([
  [0.4, "0 s"],
  [59.6, "1 min 0 s"],
  [75, "1 min 15 s"],
  [3599.6, "1 h 0 min"],
  [7199, "2 h 0 min"],
  [9000, "2 h 30 min"],
])("%d seconds", (seconds, told) => {
  expect(duration(seconds)).toBe(told);
});
