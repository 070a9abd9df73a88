import { readdir, readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { type WrittenProblem, writtenProblems } from "../../src/written/index.ts";
import { derivationOf, renderPage, sectionsOf } from "../../src/written/render.ts";

const folder = new URL("../../src/written/", import.meta.url);
const files = (await readdir(folder)).sort();
const sources = new Map(
  await Promise.all(files.map(async (file) => [file, await readFile(new URL(file, folder), "utf8")] as const)),
);

describe("docs/hw1.md", () => {
  test("is what scripts/write-docs.mjs writes", async () => {
    const page = await readFile(new URL("../../../../docs/hw1.md", import.meta.url), "utf8");
    expect(page).toBe(renderPage(sectionsOf(writtenProblems, sources), 20190929));
  });

  test("has each problem's claim, derivation and numbers, and none that does not hold", async () => {
    const page = renderPage(sectionsOf(writtenProblems, sources), 20190929);
    expect(page.match(/^## /gm)?.length).toBe(writtenProblems.length);
    expect(page.match(/^\*\*Why\.\*\* ./gm)?.length).toBe(writtenProblems.length);
    expect(page).not.toContain("✗");
  });
});

describe("a page", () => {
  const problem: WrittenProblem = {
    id: "9.1",
    title: "Sums (short)",
    claim: "x_1 + x_2 < |y|",
    check: () => [
      { what: "p(a|b)", expected: 0.5, got: 0.123456789, tolerance: 1e-3, holds: false },
      { what: "count", expected: 1234567, got: 1234567, holds: true },
    ],
  };
  const source = `/** Not this. */
/**
 * First line of x_1,
 * second.
 *
 *     a  <  b_1
 *
 * After.
 */
export const sums: WrittenProblem = {
  id: "9.1",
`;

  test("shows prose as text, formulas as they stand, and results in a table", () => {
    const page = renderPage(sectionsOf([problem], new Map([["sums.ts", source]])), 1);
    expect(page).toContain("| 9.1 | [Sums (short)](#91-sums-short) | agrees |");
    expect(page).toContain("**Answer.** x<sub>1</sub> + x<sub>2</sub> \\< \\|y\\|\n");
    expect(page).toContain("**Why.** First line of x<sub>1</sub>,\nsecond.\n\n```text\na  <  b_1\n```\n\nAfter.\n");
    expect(page).toContain("| p(a\\|b) | 0.5 ± 0.001 | 0.123457 | ✗ |\n| count | 1,234,567 | 1,234,567 | ✓ |\n");
    expect(page).not.toContain("**Where the answer sheet differs.**");
  });

  test.each([
    ["k_(i-1)", "k<sub>i-1</sub>"],
    ["∏_{i=1..m} k_i - 1", "∏<sub>i=1..m</sub> k<sub>i</sub> - 1"],
    ["Z_T(x_<i)^(1/T)", "Z<sub>T</sub>(x<sub>\\<i</sub>)<sup>1/T</sup>"],
    ["z^(i), 10^9, 2^-20", "z<sup>(i)</sup>, 10<sup>9</sup>, 2<sup>-20</sup>"],
    ["μ_yᵀμ_y", "μ<sub>y</sub>ᵀμ<sub>y</sub>"],
    ["a_ b^ *c*", "a\\_ b^ \\*c\\*"],
  ])("sets the indices and powers of %s", (claim, expected) => {
    const page = renderPage(sectionsOf([{ ...problem, claim }], new Map([["sums.ts", source]])), 1);
    expect(page).toContain(`**Answer.** ${expected}\n`);
  });

  test("says where a problem differs from the answer sheet", () => {
    const differing = { ...problem, differs: "It forgot *one*." };
    const page = renderPage(sectionsOf([differing], new Map([["sums.ts", source]])), 1);
    expect(page).toContain("| differs |");
    expect(page).toContain("**Where the answer sheet differs.** It forgot \\*one\\*.\n");
  });

  test("is refused for a problem whose module has no docstring", () => {
    expect(derivationOf("export const sums: WrittenProblem = {")).toBeUndefined();
    expect(() => sectionsOf([problem], new Map([["sums.ts", '  id: "9.1",\n']]))).toThrow("problem 9.1");
  });
});
