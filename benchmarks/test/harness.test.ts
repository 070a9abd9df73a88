import { describe, expect, test } from "vitest";
import { interleave } from "../src/harness/interleave.ts";
import { pairedRatio, spread } from "../src/harness/statistics.ts";
import { fillMarkers, MarkerError, table } from "../src/tables/markdown.ts";

describe("statistics", () => {
  test("the median of an even number of samples lies between the middle two", () => {
    expect(spread([4, 1, 3, 2])).toMatchObject({ median: 2.5, min: 1, max: 4 });
    expect(spread([9, 1, 5]).median).toBe(5);
  });

  test("a ratio pairs samples of the same round, so that a slow hour cancels out", () => {
    const { median, min, max } = pairedRatio([2, 20, 200], [1, 10, 100]);
    expect([median, min, max]).toEqual([2, 2, 2]);
  });

  test("no samples, or lists that cannot be paired, are refused", () => {
    expect(() => spread([])).toThrow(RangeError);
    expect(() => pairedRatio([1, 2], [1])).toThrow(RangeError);
  });
});

describe("interleaving", () => {
  test("gives each side one sample per round, reverses every other round and drops the warm-up", async () => {
    const order: string[] = [];
    const side = (name: string) => {
      let count = 0;
      const sample = async () => {
        order.push(name);
        return count++;
      };
      return { name, cpuSeconds: () => 1e9 * count, sample };
    };
    const { samples } = await interleave([side("a"), side("b")], { warmUp: 1, rounds: 2, restMs: 0 });
    expect(order).toEqual(["b", "a", "a", "b", "b", "a"]);
    expect(samples).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });
});

describe("generated tables", () => {
  test("replace what stood between their markers and nothing else", () => {
    const text = "before\n<!-- bench:x -->\nold\n<!-- /bench:x -->\nafter";
    const filled = fillMarkers("README.md", text, new Map([["x", table(["a"], [["1"]])]]));
    expect(filled).toBe("before\n<!-- bench:x -->\n\n| a |\n| --- |\n| 1 |\n\n<!-- /bench:x -->\nafter");
    expect(fillMarkers("README.md", filled, new Map([["x", table(["a"], [["1"]])]]))).toBe(filled);
  });

  test("a marker without an end, or of an unknown name, is an error that names it", () => {
    expect(() => fillMarkers("f.md", "<!-- bench:x -->", new Map([["x", ""]]))).toThrow(MarkerError);
    expect(() => fillMarkers("f.md", "<!-- bench:y --><!-- /bench:y -->", new Map([["x", ""]]))).toThrow(
      /f\.md.*bench:y/,
    );
  });
});
