import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Tokenizer } from "../../src/tokenizer/tokenizer.ts";

const weights = new URL("../../../../weights/shakespeare/", import.meta.url);
const tokenizer = Tokenizer.fromVocab({
  vocab: readFileSync(new URL("vocab.json", weights), "utf8"),
  merges: readFileSync(new URL("merges.txt", weights), "utf8"),
});
// What Hugging Face `tokenizers` gives for the Shakespeare model's vocabulary (from the project's reference files).
const cases: { text: string; ids: number[] }[] = JSON.parse(
  readFileSync(new URL("fixtures/shakespeare-tokenizer.json", import.meta.url), "utf8"),
);

describe("the Shakespeare model's tokenizer", () => {
  it.each(cases)("encodes $text as the reference does, and decodes it again", ({ text, ids }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(text);
  });

  it("has 1,024 tokens and an end of text", () => {
    expect(tokenizer.vocabSize).toBe(1024);
    expect(tokenizer.endOfText).toBe(tokenizer.encode("<|endoftext|>", { allowedSpecial: "all" })[0]);
  });
});
