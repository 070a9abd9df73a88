import { describe, expect, it } from "vitest";
import { StreamEncoder } from "../../src/tokenizer/stream-encoder.ts";
import { gpt2Tokenizer } from "./support/gpt2-vocabulary.ts";

describe("StreamEncoder", () => {
  it("takes a word of 4 million characters in 40,000 pieces in linear time", () => {
    const tokenizer = gpt2Tokenizer();
    const encoder = new StreamEncoder(tokenizer);
    // Were what is kept looked at again with each piece, 80 billion characters would be.
    const piece = "漢".repeat(100);
    for (let i = 0; i < 40_000; i++) expect(encoder.push(piece)).toEqual([]);
  });
});
