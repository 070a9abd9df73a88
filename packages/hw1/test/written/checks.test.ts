import { describe, expect, test } from "vitest";
import { writtenProblems } from "../../src/written/index.ts";

describe.each(writtenProblems)("problem $id", ({ check }) => {
  test.each([0, 1, 20190929, 2 ** 53 - 1])("has numbers that support its claim, with seed %i", (seed) => {
    const results = check(seed);
    expect(results.length).toBeGreaterThan(0);
    expect(results.filter(({ holds }) => !holds)).toEqual([]);
  });
});
