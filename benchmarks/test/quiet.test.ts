import { describe, expect, test } from "vitest";
import { describeSurroundings, type Observer, waitForQuiet, whenQuiet } from "../src/harness/quiet.ts";
import { provenance } from "../src/tables/figures.ts";

const SECOND = 1000;
/** A machine on which other programs take these shares, three seconds each, the last one for ever. */
function machine(...shares: number[]): Observer & { readonly lines: string[]; looks: number } {
  let now = 0;
  return {
    lines: [],
    looks: 0,
    async foreignShare() {
      now += 3 * SECOND;
      return shares[Math.min(this.looks++, shares.length - 1)]!;
    },
    now: () => now,
    say(line) {
      this.lines.push(line);
    },
  };
}

describe("waiting for a quiet machine", () => {
  test("ends once other programs were quiet twice in a row", async () => {
    const busy = machine(0.6, 0.01, 0.4, 0.02, 0.01, 0.9);
    expect(await waitForQuiet(true, busy)).toEqual({ waitedSeconds: 15, before: 0.01 });
    expect(busy.looks).toBe(5);
    const quiet = machine(0);
    expect(await waitForQuiet(true, quiet)).toEqual({ waitedSeconds: 6, before: 0 });
    expect(quiet.lines).toEqual([]);
  });

  test("ends after ten minutes at the latest, and says twice a minute what it waits for", async () => {
    const busy = machine(0.63);
    expect(await waitForQuiet(true, busy)).toEqual({ waitedSeconds: 600, before: 0.63 });
    expect(busy.lines).toHaveLength(20);
    expect(busy.lines[0]).toBe(
      "other programs take 63 % of the processor; waiting until it is below 5 %, at most 10 min more (--no-wait starts at once)",
    );
    expect(busy.lines.at(-1)).toContain("at most 1 min more");
  });

  test("only looks where waiting is not wanted", async () => {
    const busy = machine(0.63);
    expect(await waitForQuiet(false, busy)).toEqual({ waitedSeconds: 0, before: 0.63 });
    expect([busy.looks, busy.lines]).toEqual([1, []]);
  });
});

describe("a run's surroundings", () => {
  const run = (observer: Observer, foreign: number | undefined) =>
    whenQuiet(
      { node: process.execPath, wait: false },
      async () => "measured",
      () => [{}, foreign === undefined ? {} : { foreign }],
      observer,
    );

  test("are part of the result; a quiet run says nothing", async () => {
    const quiet = machine(0.01, 0.02);
    const { conditions, result } = await run(quiet, 0.0312345);
    expect(result).toBe("measured");
    expect(conditions.surroundings).toEqual({
      waitedSeconds: 0,
      before: 0.01,
      during: 0.031,
      after: 0.02,
      disturbed: false,
    });
    expect(quiet.lines).toEqual([]);
    expect(provenance({ command: "npm run x", conditions })).toContain(
      "; other programs took 1 % of the processor before, 3 % during, 2 % after</sub>",
    );
  });

  test.each([
    ["before", machine(0.5, 0), 0],
    ["during", machine(0, 0), 0.5],
    ["after", machine(0, 0.5), undefined],
  ])("say on the terminal and in the table that it was disturbed %s", async (when, observer, foreign) => {
    const { conditions } = await run(observer, foreign);
    const { surroundings } = conditions;
    expect(surroundings?.disturbed).toBe(true);
    expect(observer.lines).toEqual([`\nThis run was ${describeSurroundings(surroundings!)}.`]);
    expect(observer.lines[0]).toMatch(new RegExp(`was disturbed: .*50 % (of the processor )?${when}`));
    expect(provenance({ command: "npm run x", conditions })).toContain("; disturbed: other programs took ");
  });
});
