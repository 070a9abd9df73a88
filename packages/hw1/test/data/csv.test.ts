import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCsv } from "../../src/data/csv.ts";

/** Made by oracle/csv_digests.py, which draws the same texts. */
const digests: string[] = JSON.parse(readFileSync(new URL("fixtures/csv-digests.json", import.meta.url), "utf8"));

const BLOCK = 100;
const ALPHABET = ["a", "b", "é", " ", ",", ",", ",", '"', '"', '"', "\n", "\n", "\r", "\r\n", "'", "\0"];
const HEADER = "Title,Abstract,PaperText\n";
const LONGEST = 40;

function* texts(): Generator<string, never> {
  let state = 20190929;
  const draw = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 16) % below;
  };
  for (let i = 0; ; i++) {
    const body = Array.from({ length: draw(LONGEST + 1) }, () => ALPHABET[draw(ALPHABET.length)]!).join("");
    yield i % 2 === 1 ? HEADER + body : body;
  }
}

/** Columns and rows, as JSON. */
function read(text: string): unknown {
  const { columns, rows } = readCsv(text);
  return [columns, [...rows].map((row) => [...row].map(([column, value]) => [column, value ?? null]))];
}

describe("CSV", () => {
  it("is read as Python's DictReader reads it, on 20,000 texts of quotes, commas and line ends", () => {
    expect(digests).toHaveLength(200);
    const drawn = texts();
    for (const [i, digest] of digests.entries()) {
      const block = Array.from({ length: BLOCK }, () => drawn.next().value);
      const found = createHash("sha256")
        .update(JSON.stringify(block.map(read)))
        .digest("hex")
        .slice(0, 8);
      expect(found, `texts ${i * BLOCK} to ${(i + 1) * BLOCK - 1}`).toBe(digest);
    }
  });

  it.each([
    [
      'a,b\n5" disk,"x"y"z"\n',
      [
        ["a", "b"],
        [
          [
            ["a", '5" disk'],
            ["b", 'xy"z"'],
          ],
        ],
      ],
    ],
    ['a\n"""",\n', [["a"], [[["a", '"']]]]],
    [
      "a,b\n1\n1,2,3\n",
      [
        ["a", "b"],
        [
          [
            ["a", "1"],
            ["b", null],
          ],
          [
            ["a", "1"],
            ["b", "2"],
          ],
        ],
      ],
    ],
    [
      "a,a\n1,2\n3\n",
      [
        ["a", "a"],
        [[["a", "2"]], [["a", null]]],
      ],
    ],
    ['a\n"never closed\r\n', [["a"], [[["a", "never closed\r\n"]]]]],
    ["a\r1\r\r2", [["a"], [[["a", "1"]], [["a", "2"]]]]],
    ["\na\n1\n", [[], [[], []]]],
    ["", [[], []]],
  ])("%j has these rows", (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it("gives back whatever fields were quoted", () => {
    const fields = fc.array(fc.string({ unit: "grapheme" }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(fields, { maxLength: 5 }), (records) => {
        const quoted = records.map((record) => record.map((field) => `"${field.replaceAll('"', '""')}"`).join(","));
        const { rows } = readCsv(`0,1,2,3\n${quoted.join("\n")}`);
        const got = [...rows].map((row) => [...row.values()].filter((value) => value !== undefined));
        expect(got).toEqual(records);
      }),
    );
  });

  it("takes no longer than its length allows: millions of quotes in one field", () => {
    const { rows } = readCsv(`a\n"${'""'.repeat(2_000_000)}"\n`);
    const [row] = rows;
    expect(row!.get("a")).toHaveLength(2_000_000);
  });
});
