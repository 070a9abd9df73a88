/** Each lesson's program runs on the built packages and this Node, and its page shows that program and what it prints. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lesson, lessonNames, outputOf, writtenIndex, writtenPage } from "../../scripts/lessons.mjs";
import { ROOT } from "./documents.ts";

const MOST_LINES = 60;
const names = lessonNames();

it("each lesson has a number of its own and stands in the list (npm run lessons writes it)", () => {
  const numbers = names.map((name) => Number.parseInt(name, 10));
  expect(numbers.length).toBeGreaterThan(0);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(writtenIndex()).toBe(readFileSync(join(ROOT, "docs/lessons/index.md"), "utf8"));
});

it("the list of questions has thirty, each with a page that answers it", () => {
  const [, table = ""] = readFileSync(join(ROOT, "docs/lessons/index.md"), "utf8").split("\n## Thirty questions\n");
  const rows = table.match(/^\| .*\? \| \[.*\) \|$/gm) ?? []; // links.test.ts follows them
  expect(rows).toHaveLength(30);
  expect(new Set(rows).size).toBe(30);
});

describe.each(names)("lesson %s", (name) => {
  const { program, page = "" } = lesson(name);

  it("runs; its page shows the program and its output and links to its neighbours (npm run lessons writes that)", async () => {
    expect(writtenPage(name, page, program, await outputOf(name))).toBe(page);
  });

  it(`has at most ${MOST_LINES} lines, and imports what packages export and nothing else`, () => {
    expect(program.trimEnd().split("\n").length).toBeLessThanOrEqual(MOST_LINES);
    const imports = Array.from(program.matchAll(/\bfrom "([^"]+)"|\bimport\(?\s*"([^"]+)"/g), ([, a, b]) => a ?? b);
    expect(imports.filter((path) => !/^(@gpt2-ts\/|node:)/.test(path ?? ""))).toEqual([]);
  });

  it("has a title with its number, and two exercises with answers", () => {
    expect(page).toMatch(new RegExp(`^# ${Number.parseInt(name, 10)}\\. `));
    const [, exercises = ""] = page.split("\n## Exercises\n");
    expect(exercises.match(/<details><summary>Answer<\/summary>/g)).toHaveLength(2);
  });
});
