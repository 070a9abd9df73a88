import { describe, expect, it } from "vitest";
import { StreamEncoder } from "../../src/tokenizer/stream-encoder.ts";
import { gpt2Tokenizer } from "./support/gpt2-vocabulary.ts";

describe("StreamEncoder", () => {
  it("takes a word of 4 million characters in a thousand pieces in linear time", () => {
    const tokenizer = gpt2Tokenizer();
    const encoder = new StreamEncoder(tokenizer);
    const piece = "漢".repeat(4_000);
    const start = process.cpuUsage().user;
    for (let i = 0; i < 1_000; i++) expect(encoder.push(piece)).toEqual([]);
    // Two billion characters would be looked at otherwise.
    expect((process.cpuUsage().user - start) / 1e6).toBeLessThan(5);
  });
});
