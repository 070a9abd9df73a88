/** Each lesson's program runs on the built packages and this Node, and its page shows that program and what it prints. */
import { describe, expect, it } from "vitest";
import { lesson, lessonNames, outputOf, writtenPage } from "../../scripts/lessons.mjs";

const MOST_LINES = 60;
const names = lessonNames();

it("there are lessons, each with a number of its own", () => {
  expect(names.length).toBeGreaterThan(0);
  const numbers = names.map((name) => Number.parseInt(name, 10));
  expect(new Set(numbers).size).toBe(numbers.length);
});

describe.each(names)("lesson %s", (name) => {
  const { program, page = "" } = lesson(name);

  it("runs, and its page shows the program and its output (npm run lessons writes both)", async () => {
    expect(writtenPage(name, page, program, await outputOf(name))).toBe(page);
  });

  it(`has at most ${MOST_LINES} lines, and imports what packages export and nothing else`, () => {
    expect(program.trimEnd().split("\n").length).toBeLessThanOrEqual(MOST_LINES);
    const imports = Array.from(program.matchAll(/\bfrom "([^"]+)"|\bimport\(?\s*"([^"]+)"/g), ([, a, b]) => a ?? b);
    expect(imports.filter((path) => !/^(@gpt2-ts\/|node:)/.test(path ?? ""))).toEqual([]);
  });

  it("has a title with its number, two exercises with answers, and links to its neighbours", () => {
    expect(page).toMatch(new RegExp(`^# ${Number.parseInt(name, 10)}\\. `));
    const [, exercises = ""] = page.split("\n## Exercises\n");
    expect(exercises.match(/<details><summary>Answer<\/summary>/g)).toHaveLength(2);
    const neighbours = [names[names.indexOf(name) - 1], names[names.indexOf(name) + 1]];
    const lastLine = page.trimEnd().split("\n").at(-1);
    for (const neighbour of neighbours) if (neighbour !== undefined) expect(lastLine).toContain(`(${neighbour}.md)`);
  });
});
