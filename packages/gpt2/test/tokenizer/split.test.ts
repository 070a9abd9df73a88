import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { characterClass } from "../../src/tokenizer/character-classes.ts";
import { endOfWord } from "../../src/tokenizer/split.ts";

function words(text: string): string[] {
  const found: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = endOfWord(text, start);
    found.push(text.slice(start, end));
    start = end;
  }
  return found;
}

/** GPT-2's pattern with Unicode's White_Space for \s. */
const S = "\\p{White_Space}";
const pattern = new RegExp(
  `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${S}\\p{L}\\p{N}]+|${S}+(?!\\P{White_Space})|${S}+`,
  "gu",
);

describe("splitting into words", () => {
  it("finds the words that GPT-2's pattern matches", () => {
    const characters = [..."aZé1²½!¿ \t\n\r\u0085\u00a0\u2028\u3000\ufeff漢😀𝒜𝟘٣\u0301"];
    const contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'l", "'v"];
    const parts = [...characters, ...contractions, "  ", "''", "\u{10FFFF}"];
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...parts), maxLength: 40 }), (text) => {
        expect(words(text)).toEqual(text.match(pattern) ?? []);
      }),
      { numRuns: 5_000 },
    );
  });

  it("classifies every character as Hugging Face does, whatever this engine's version of Unicode", () => {
    let classes = "";
    for (let c = 0; c < 0x110000; c++) if (c < 0xd800 || c > 0xdfff) classes += "OLNS"[characterClass(c)];
    const { sha256 } = JSON.parse(readFileSync(new URL("fixtures/character-classes.json", import.meta.url), "utf8"));
    expect(createHash("sha256").update(classes).digest("hex")).toBe(sha256);
  });

  it("takes lone surrogates for symbols, like the U+FFFD they are encoded as", () => {
    expect(words("a\ud83db 1\ude00")).toEqual(["a", "\ud83d", "b", " 1", "\ude00"]);
    expect(words("!\ud83d?")).toEqual(["!\ud83d?"]);
  });

  it.each([
    ["spaces", " "],
    ["new lines and letters", "\n\na"],
    ["letters", "a"],
    ["spaces and letters", "    a"],
    ["apostrophes", "'"],
  ])("splits 2 MB of %s in linear time and constant stack", (_, unit) => {
    const text = unit.repeat(2_000_000 / unit.length);
    expect(words(text).join("") === text).toBe(true);
  });
});
