import { expect, test } from "vitest";
import { recentSpeed } from "../src/train/speed.ts";

test("a speed is told once there are three steps after the first two", () => {
  expect(recentSpeed([])).toBeUndefined();
  expect(recentSpeed([1, 1, 100, 100])).toBeUndefined();
  expect(recentSpeed([1, 1, 100, 100, 100])).toBeCloseTo(100);
});

test("it is that of the latest twenty together: tokens of all by the time of all", () => {
  expect(recentSpeed([1, 1, 100, 50, 100])).toBeCloseTo(75);
  const now = new Array<number>(20).fill(200);
  expect(recentSpeed([1, 1, 100, 50, 100, ...now])).toBeCloseTo(200);
});
