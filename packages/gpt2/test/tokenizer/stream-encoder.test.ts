import { OptionError } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { TokenizerError } from "../../src/tokenizer/errors.ts";
import { StreamEncoder } from "../../src/tokenizer/stream-encoder.ts";
import { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { gpt2Files, gpt2Tokenizer } from "./support/gpt2-vocabulary.ts";

vi.mock("../../src/tokenizer/limits.ts", () => ({ MAX_TOKENS: 2000, MAX_PENDING_CHARACTERS: 5000 }));

/** Tokens that are hard on whoever cuts: with blanks in them, beginning like each other, of letters only, taking white space along. */
const addedTokens = [
  { content: "<|", special: true },
  { content: "a b", special: true },
  { content: "lsl", special: true },
  { content: " x ", special: true },
];
const notSpecial = [
  { content: "b!", rstrip: true },
  { content: "l5", lstrip: true, singleWord: true },
  { content: "漢 a", normalized: false },
];
const files = gpt2Files();
const tokenizers = {
  plain: gpt2Tokenizer(),
  "with special tokens": Tokenizer.fromVocab({ ...files, addedTokens }),
  "with added tokens": Tokenizer.fromVocab({ ...files, addedTokens: [...addedTokens, ...notSpecial] }),
  "with a space before a text": Tokenizer.fromVocab({ ...files, addedTokens: notSpecial, addPrefixSpace: true }),
};
const tokenizer = tokenizers.plain;

const part = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom("a", "b", "l", "s", "'", "'ll", "5", " ", "  ", "\n", "\u00a0", "!", "漢", "😀"),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ..."<|endoftext|>,<|,a b,lsl, x ,b!,l5,漢 a".split(","),
      "\ud83d",
      "\ude00",
      "word",
      "12",
      "'re",
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 3 }) },
);
const text = fc.array(part, { maxLength: 60 }).map((parts) => parts.join(""));

/** The text, cut at these places, in UTF-16 units: through characters and special tokens too. */
function pieces(whole: string, cuts: readonly number[]): string[] {
  const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return places.slice(1).map((end, i) => whole.slice(places[i], end));
}

describe("StreamEncoder", () => {
  describe.each(Object.entries(tokenizers))("of a tokenizer %s", (_, tokenizer) => {
    it.each(["none", "all", ["<|endoftext|>"]] as const)(
      "gives the ids of the whole text, however it is cut (special tokens: %s)",
      (allowedSpecial) => {
        const encoder = new StreamEncoder(tokenizer, { allowedSpecial });
        fc.assert(
          fc.property(text, fc.array(fc.nat(200), { maxLength: 20 }), (whole, cuts) => {
            const ids = pieces(whole, cuts).flatMap((piece) => encoder.push(piece));
            expect([...ids, ...encoder.flush()]).toEqual(tokenizer.encode(whole, { allowedSpecial }));
          }),
          { numRuns: 1_000 },
        );
      },
    );
  });

  it.each(["none", "all", ["<pad>"]] as const)(
    "gives the ids of the whole text where added tokens take blanks, want to stand alone or get a space (special tokens: %s)",
    (allowedSpecial) => {
      const contents = ["<pad>", "lsl", "a b", "word", "<|"];
      const settings = fc.record({
        special: fc.boolean(),
        singleWord: fc.boolean(),
        lstrip: fc.boolean(),
        rstrip: fc.boolean(),
        normalized: fc.boolean(),
      });
      const all = fc.array(settings, { minLength: contents.length, maxLength: contents.length });
      const givenText = fc.array(fc.oneof(part, fc.constantFrom(...contents)), { maxLength: 40 });
      const given = fc.array(fc.tuple(givenText, fc.array(fc.nat(200), { maxLength: 10 })), {
        minLength: 20,
        maxLength: 20,
      });
      fc.assert(
        fc.property(all, fc.boolean(), given, (chosen, addPrefixSpace, texts) => {
          const addedTokens = contents.map((content, i) => ({
            content,
            ...chosen[i]!,
            ...(i === 0 && { special: true }),
          }));
          const other = Tokenizer.fromVocab({ ...files, addedTokens, addPrefixSpace });
          const encoder = new StreamEncoder(other, { allowedSpecial });
          for (const [parts, cuts] of texts) {
            const whole = parts.join("");
            const ids = pieces(whole, cuts).flatMap((piece) => encoder.push(piece));
            expect([...ids, ...encoder.flush()]).toEqual(other.encode(whole, { allowedSpecial }));
          }
        }),
        { numRuns: 10 },
      );
    },
  );

  it("gives ids as soon as words are complete, and keeps no more than the last ones", () => {
    const encoder = new StreamEncoder(tokenizer);
    expect(tokenizer.decode(encoder.push("To be, or not to "))).toBe("To be, or not");
    expect(tokenizer.decode(encoder.push("b"))).toBe(" to");
    expect(encoder.push("e")).toEqual([]);
    expect(tokenizer.decode(encoder.push(", th"))).toBe(" be,");
    expect(tokenizer.decode(encoder.flush())).toBe(" th");
    expect(encoder.flush()).toEqual([]);
  });

  it("takes a word that comes in small pieces", () => {
    const encoder = new StreamEncoder(tokenizer);
    for (let i = 0; i < 4_900; i++) expect(encoder.push("a")).toEqual([]);
    expect(encoder.push("!!")).toEqual(tokenizer.encode("a".repeat(4_900)));
    expect(encoder.flush()).toEqual(tokenizer.encode("!!"));
  });

  it("refuses what it could not keep, and a special token that there is not", () => {
    const encoder = new StreamEncoder(tokenizer);
    encoder.push("a".repeat(4_000));
    expect(() => encoder.push("a".repeat(1_001))).toThrow(TokenizerError);
    expect(() => encoder.push("a".repeat(1_001))).toThrow("no word ends within 5000 characters");
    expect(() => new StreamEncoder(tokenizer, { allowedSpecial: ["<|pad|>"] })).toThrow(OptionError);
  });
});

describe("encode", () => {
  it("refuses a text of more tokens than an array takes, which a stream encodes", () => {
    expect(tokenizer.encode(" be".repeat(2_000))).toHaveLength(2_000);
    const long = " be".repeat(2_001);
    expect(() => tokenizer.encode(long)).toThrow(TokenizerError);
    expect(() => tokenizer.encode(long)).toThrow("more than 2000 tokens has to be encoded in pieces (StreamEncoder)");
    const encoder = new StreamEncoder(tokenizer);
    const ids = [long.slice(0, 3_000), long.slice(3_000)].flatMap((piece) => encoder.push(piece));
    expect([...ids, ...encoder.flush()]).toHaveLength(2_001);
  });
});
