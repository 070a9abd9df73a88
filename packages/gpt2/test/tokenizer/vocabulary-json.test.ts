import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TokenTable } from "../../src/tokenizer/token-table.ts";
import { mostItems, scanVocabulary } from "../../src/tokenizer/vocabulary-json.ts";

/** What is read of a text; undefined where that is left to JSON.parse. */
function scanned(text: string): Map<string, number> | undefined {
  const ids = new TokenTable(mostItems(text), text.length);
  return scanVocabulary(text, ids) ? entriesOf(ids) : undefined;
}

function entriesOf(ids: TokenTable): Map<string, number> {
  return new Map(Array.from({ length: ids.size }, (_, i) => [ids.textAt(i), ids.idAt(i)]));
}

/**
 * What JSON.parse reads, by its values: its keys cannot be trusted. V8 13.6 (Node 24), once it has read {"a":0,"\\":0},
 * reads {"a":0,"\n":0} as that too.
 */
function parsed(text: string): Map<string, number> {
  JSON.parse(text);
  const brackets: Readonly<Record<string, string>> = { "{": "[", "}": "]", ":": "," };
  const flat = JSON.parse(text.replace(/"(?:[^"\\]|\\.)*"|[{}:]/g, (piece) => brackets[piece] ?? piece));
  const ids = new Map<string, number>();
  for (let i = 0; i < flat.length; i += 2) ids.set(flat[i], flat[i + 1]);
  return ids;
}

const token = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.constantFrom("", "__proto__", "constructor", '"', "\\", "\\u0041", "Ġthe", "7", ",", "\n", "\ud800"),
);
const vocabulary = fc.array(fc.tuple(token, fc.nat(999_999_999)), { minLength: 1, maxLength: 30 });
/** As JSON.stringify writes it, indented or not, in ASCII or not; a token may come twice. */
const json = fc
  .tuple(vocabulary, fc.constantFrom("", " ", "\n\t", "\r\n"), fc.boolean())
  .map(([entries, gap, ascii]) => {
    const body = entries.map(([text, id]) => `${gap}${JSON.stringify(text)}${gap}:${gap}${id}${gap}`).join(",");
    const text = `${gap}{${body}}${gap}`;
    return ascii
      ? text.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)
      : text;
  });

describe("reading a vocab.json without JSON.parse", () => {
  it("finds the tokens and ids that JSON.parse finds", () => {
    fc.assert(
      fc.property(json, (text) => {
        expect(scanned(text)).toEqual(parsed(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it("reads nothing that JSON.parse would not read, or read as something else", () => {
    const noise = fc.constantFrom(
      "",
      ",",
      '"',
      "\\",
      "{",
      "}",
      ":",
      "0",
      "-",
      "e1",
      ".5",
      "\n",
      "\u0001",
      "[]",
      "null",
      "\\x",
    );
    fc.assert(
      fc.property(json, fc.nat(), fc.nat(3), noise, (text, where, length, replacement) => {
        const at = where % (text.length + 1);
        const broken = text.slice(0, at) + replacement + text.slice(at + length);
        const found = scanned(broken);
        if (found !== undefined) expect(found).toEqual(parsed(broken));
      }),
      { numRuns: 5_000 },
    );
  });

  it.each(["", "{", "[1]", '{"a": 01}', '{"a": 1,}', '{"a": 1} x', '{"a": 1e3}', '{"a": 9999999999}', "{'a': 1}"])(
    "leaves %j to JSON.parse",
    (text) => {
      expect(scanned(text)).toBeUndefined();
    },
  );

  it("takes a token that is written in 35 million characters", () => {
    const long = "\\u0120x".repeat(5_000_000);
    expect(scanned(`{"${long}": 0}`)?.size).toBe(1);
  });
});

describe("a table of tokens", () => {
  it("keeps what a Map keeps, in the order it came", () => {
    fc.assert(
      fc.property(vocabulary, fc.array(token), (entries, others) => {
        const ids = new TokenTable(
          entries.length,
          entries.reduce((sum, [text]) => sum + text.length, 0),
        );
        for (const [text, id] of entries) ids.set(text, id);
        const expected = new Map(entries);
        expect([...entriesOf(ids)]).toEqual([...expected]);
        for (const text of [...expected.keys(), ...others]) expect(ids.idOf(text)).toBe(expected.get(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it("refuses more than it has room for", () => {
    const ids = new TokenTable(2, 3);
    ids.set("ab", 0);
    expect(() => ids.set("cd", 1)).toThrow(RangeError);
    ids.set("c", 1);
    expect(() => ids.set("", 2)).toThrow(RangeError);
    expect([...entriesOf(ids)]).toEqual([
      ["ab", 0],
      ["c", 1],
    ]);
  });
});
