import { OptionError } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StopTexts } from "../../src/generate/stop-texts.ts";

/** Few letters, so that stop texts are found, overlap and nearly match. */
const text = fc.string({ unit: fc.constantFrom("a", "b", "😀"), maxLength: 30 });
const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "😀"), minLength: 1, maxLength: 4 }), {
  maxLength: 3,
});

function run(pieces: readonly string[], stopTexts: readonly string[]): { pieces: string[]; found: boolean } {
  const watch = new StopTexts(stopTexts);
  const passed = pieces.map((piece) => watch.push(piece));
  return { pieces: [...passed, watch.flush()], found: watch.found };
}

/** The meaning of stop texts, character by character: the text before the first to be complete, the longest of those. */
function cut(whole: string, stopTexts: readonly string[]): { text: string; found: boolean } {
  for (let end = 1; end <= whole.length; end++) {
    const complete = stopTexts.filter((stop) => whole.slice(0, end).endsWith(stop));
    const longest = Math.max(0, ...complete.map((stop) => stop.length));
    if (complete.length > 0) return { text: whole.slice(0, end - longest), found: true };
  }
  return { text: whole, found: false };
}

describe("StopTexts", () => {
  it("lets through what comes before the first complete stop text, however the text is cut into pieces", () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 8 }), stops, (pieces, stopTexts) => {
        const { pieces: passed, found } = run(pieces, stopTexts);
        const expected = cut(pieces.join(""), stopTexts);
        expect({ text: passed.join(""), found }).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it("never lets half a character through", () => {
    fc.assert(
      fc.property(fc.array(text), stops, (pieces, stopTexts) => {
        for (const piece of run(pieces, stopTexts).pieces) expect(piece).not.toMatch(/\p{Surrogate}/u);
      }),
    );
  });

  it("holds back no more than what could become a stop text", () => {
    const watch = new StopTexts(["\n\nQ:"]);
    expect(watch.push("one\n")).toBe("one");
    expect(watch.push("two\n\n")).toBe("\ntwo");
    expect(watch.push("Q")).toBe("");
    expect(watch.push("!")).toBe("\n\nQ!");
    expect(watch.found).toBe(false);
    expect(watch.push("\n\nQ: three")).toBe("");
    expect(watch.found).toBe(true);
    expect(watch.push("four") + watch.flush()).toBe("");
  });

  it("refuses an empty stop text, half a character, and what is no text", () => {
    for (const wrong of ["", "a\ud83d", 5 as unknown as string]) {
      expect(() => new StopTexts(["fine", wrong])).toThrow(OptionError);
    }
  });
});
