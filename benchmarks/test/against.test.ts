import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { commitOf } from "../src/against/build.ts";
import { loadedAtOnce } from "../src/against/bundle.ts";
import type { Measurement } from "../src/against/result.ts";
import { againstTable, belowFloor } from "../src/against/verdict.ts";
import { untimed } from "../src/harness/interleave.ts";
import { summarize } from "../src/speed/compare.ts";
import { pooled, startOrders } from "../src/speed/start-orders.ts";

function measurement(part: Measurement["part"], ours: readonly number[], base: readonly number[]): Measurement {
  const speed = part === "decode" || part === "score";
  const unit = part === "bundle" ? "bytes" : speed ? "tokens/s" : "s";
  const about = { title: part, unit, higherIsBetter: speed } as const;
  const rounds = untimed([[...ours], [...base]]);
  const dtype = part === "bundle" ? undefined : "bf16";
  return { part, dtype, comparison: summarize(about, ["gpt2-ts", "base 1234567"], rounds) };
}

describe("this build against another", () => {
  test("ratios are above 1 where this build is better, whichever way the unit points", () => {
    const faster = [measurement("decode", [30, 20], [15, 10]), measurement("prefill", [1, 2], [2, 4])];
    for (const { comparison } of faster) expect(comparison.ratios[0]?.ratio.median).toBe(2);
    expect(belowFloor(faster, 0.98)).toEqual([]);
  });

  test("what became worse is named, with the dtype and the median of the pairs' ratios", () => {
    const slower = measurement("decode", [9.7, 97, 50], [10, 100, 10]);
    expect(belowFloor([slower], 0.98)).toEqual(["bf16, decode: 0.970"]);
    expect(belowFloor([slower], 0.97)).toEqual([]);
    expect(belowFloor([measurement("decode", [Number.NaN], [10])], 0.98)).toEqual(["bf16, decode: NaN"]);
  });

  test("each start order has half of the rounds, and both halves make one comparison", () => {
    expect(startOrders(5)).toEqual([
      { reversed: false, rounds: 3 },
      { reversed: true, rounds: 2 },
    ]);
    expect(startOrders(1)).toEqual([{ reversed: false, rounds: 1 }]);
    const [one, other] = [measurement("decode", [9, 9, 9], [10, 10, 10]), measurement("decode", [10, 10], [9, 9])];
    const both = pooled(one.comparison, other.comparison);
    expect(both.measured.map(({ samples }) => samples)).toEqual([
      [9, 9, 9, 10, 10],
      [10, 10, 10, 9, 9],
    ]);
    expect(both.ratios[0]!.ratio).toMatchObject({ median: 0.9, min: 0.9, max: 10 / 9 });
  });

  test("a larger bundle fails as a slower pass does; a peak of memory is told and not judged", () => {
    const bundle = measurement("bundle", [110_000], [100_000]);
    expect(belowFloor([bundle], 0.98)).toEqual(["bundle: 0.909"]);
    expect(belowFloor([{ ...bundle, part: "cold" }], 0.98)).toEqual([]);
  });

  test("the table gives both medians, and the ratio with its range", () => {
    expect(againstTable([measurement("decode", [20, 30, 22], [10, 10, 10])])).toContain(
      "| bf16, decode | 10.0 tokens/s | 22.0 tokens/s | 2.200 | 2.000 to 3.000 |",
    );
  });

  test("a comparison of other than two engines is refused", () => {
    const { comparison, ...rest } = measurement("decode", [1], [1]);
    expect(() => belowFloor([{ ...rest, comparison: { ...comparison, ratios: [] } }], 1)).toThrow(/not a comparison/);
  });

  test("a revision is a whole commit, and one that is not there is named", () => {
    const head = execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim();
    expect(commitOf("HEAD")).toBe(head);
    expect(() => commitOf("no-such-revision")).toThrow(/no revision no-such-revision/);
    expect(() => commitOf("--all")).toThrow(/no revision --all/);
  });

  test("a bundle is the entry and what it imports, not what it may load later", () => {
    const output = (imports: [path: string, kind: "import-statement" | "dynamic-import"][], entryPoint?: string) => ({
      bytes: 1,
      inputs: {},
      exports: [],
      imports: imports.map(([path, kind]) => ({ path, kind })),
      ...(entryPoint !== undefined && { entryPoint }),
    });
    const outputs = {
      "out/gpu.js": output([["out/shared.js", "import-statement"]], "gpu.js"),
      "out/stdin.js": output(
        [
          ["out/a.js", "import-statement"],
          ["out/gpu.js", "dynamic-import"],
        ],
        "<stdin>",
      ),
      "out/a.js": output([
        ["out/shared.js", "import-statement"],
        ["elsewhere", "import-statement"],
      ]),
      "out/shared.js": output([["out/a.js", "import-statement"]]),
    };
    expect(loadedAtOnce(outputs)).toEqual(["out/stdin.js", "out/a.js", "out/shared.js"]);
  });
});
