import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { plain, verbatim } from "../src/markdown.ts";
import { writeReport } from "../src/report.ts";
import { results } from "./figures/results.ts";

let out: string;
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), "hw1-report-"));
});
afterEach(() => rm(out, { recursive: true, force: true }));

async function report(): Promise<string> {
  return readFile(join(out, "report.md"), "utf8");
}

describe("the report", () => {
  it("returns the files it wrote, the report last, and leaves no others behind", async () => {
    const written = await writeReport(out, results);
    expect(written).toHaveLength(6 * 4 + 1);
    expect(written.at(-1)).toBe(join(out, "report.md"));
    expect((await readdir(join(out, "figures"))).map((name) => join(out, "figures", name)).sort()).toEqual(
      written.slice(0, -1).sort(),
    );
    expect((await readdir(out)).sort()).toEqual(["figures", "report.md"]);
  });

  it("links to figures that are there and to the tasks' files, all by relative paths", async () => {
    await writeReport(out, results);
    const text = await report();
    const targets = [...text.matchAll(/(?:src|srcset)="([^"]+)"|\]\(([^)]+)\)/g)].map(([, a, b]) => a ?? b!);
    const figures = targets.filter((target) => target.startsWith("figures/"));
    expect(new Set(figures).size).toBe(6 * 4);
    for (const target of figures) expect((await stat(join(out, target))).size).toBeGreaterThan(1000);
    expect(new Set(targets.filter((target) => !figures.includes(target)))).toEqual(
      new Set([
        "samples.txt",
        "samples_temperature0-95_horizon2.txt",
        "likelihood-random.txt",
        "likelihood-shakespeare.txt",
        "likelihood-papers.txt",
        "labels.csv",
      ]),
    );
    expect(text).not.toContain(dirname(out));
  });

  it("says what was run: model, seed, sources, threshold and its rule", async () => {
    await writeReport(out, results);
    const text = await report();
    expect(text).toContain("| model | made-up: 957,184 parameters, 256 positions, 1024 tokens |");
    expect(text).toContain("| seed | 20190929 |");
    expect(text).toContain("- Random letters: made up.\n- Papers: none \\| at \\*all\\*.");
    expect(text).toContain("below **−4.500 nats**");
    expect(text).toContain("from 60 random and 140 real texts: The best one \\| of all.");
    expect(text).toContain("2 of 3 texts are taken for random, see [labels.csv](labels.csv). 66.7 % of the labels");
    expect(text).toContain("fill the model's context: 1.");
  });

  it("gives the cost of horizon 2 in passes, against one pass and against k + 1", async () => {
    await writeReport(out, results);
    const text = await report();
    expect(text).toMatch(/\| horizon 1: one pass \| 2\.00 \| 1\.0 \| 0\.02 \|/);
    expect(text).toMatch(/as one batch that shares the prefix \| 12\.00 \| 6\.0 \| 0\.15 \|/);
    expect(text).toMatch(/done naively: 41 passes \| 82\.00 \| 41\.0 \| 1\.00 \|/);
  });

  it("has tables whose rows all have as many cells as their head, whatever the titles hold", async () => {
    await writeReport(out, results);
    const lines = (await report()).split("\n");
    for (const [i, line] of lines.entries()) {
      if (!line.startsWith("| ") || !lines[i - 1]?.startsWith("| ")) continue;
      expect(cells(line), line).toBe(cells(lines[i - 1]!));
    }
    expect(lines.some((line) => line.startsWith("| Papers \\<\\&\"'\\> \\| a \\*stand-in\\* |"))).toBe(true);
  });

  it("says that the axis goes further down than the sheet's only if it does", async () => {
    await writeReport(out, results);
    expect(await report()).not.toContain("The sheet's axis");
    const { likelihood } = results;
    const low = { ...likelihood!.sets[0]!, logLikelihoods: [-700, -599], characters: [100, 100] };
    await writeReport(out, { ...results, likelihood: { ...likelihood!, sets: [low] } });
    expect(await report()).toContain(
      "The sheet's axis goes from −600 to 0. Values below that: 1. So here it starts at −800",
    );
  });

  it("has only the parts of the tasks that were run", async () => {
    const { model, data, seed, timings, samples } = results;
    expect(await writeReport(out, { model, data, seed, timings, samples })).toEqual([join(out, "report.md")]);
    const text = await report();
    expect(text.match(/^## .*$/gm)).toEqual(["## Samples (6.3, 6.6, 6.7b)", "## Time"]);
  });

  it("is the old one still if the new one cannot be made", async () => {
    await writeFile(join(out, "report.md"), "old");
    const { likelihood } = results;
    const broken = { ...likelihood!.sets[0]!, logLikelihoods: [Number.NaN] };
    const write = writeReport(out, { ...results, likelihood: { ...likelihood!, sets: [broken] } });
    await expect(write).rejects.toThrow(RangeError);
    expect(await report()).toBe("old");
    expect(await readdir(out)).toEqual(["report.md"]);
  });

  it("names the file that cannot be written", async () => {
    await writeFile(join(out, "file"), "");
    await expect(writeReport(join(out, "file"), { ...results, likelihood: undefined })).rejects.toThrow(
      join(out, "file", "figures"),
    );
  });
});

describe("text in Markdown", () => {
  it("cannot end its own fence", () => {
    expect(verbatim("a\n```\n````\nb")).toBe("`````text\na\n```\n````\nb\n`````");
  });

  it("keeps no mark's meaning, and stays on its line", () => {
    expect(plain(" <b>*x*_y_`z`[a](b)|#&\n\\ ")).toBe("\\<b\\>\\*x\\*\\_y\\_\\`z\\`\\[a\\](b)\\|\\#\\& \\\\");
  });
});

/** The cells of a row of a table: a bar with a backslash before it is text. */
function cells(row: string): number {
  return row.match(/(?<!\\)\|/g)!.length - 1;
}
