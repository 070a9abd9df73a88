import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { TokenizerError } from "../../src/tokenizer/errors.ts";
import { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { mutations } from "./oracle/mutations.ts";

interface Fixtures {
  readonly count: number;
  readonly seed: number;
  readonly texts: readonly string[];
  readonly text: string;
  /** Four characters for each mutation. */
  readonly verdicts: string;
}

// Made by oracle/make_mutated.py with Hugging Face's Python package.
const { count, seed, texts, text, verdicts }: Fixtures = JSON.parse(
  readFileSync(new URL("fixtures/mutated-tokenizer-json.json", import.meta.url), "utf8"),
);

describe("Tokenizer.fromTokenizerJson", () => {
  it("makes of 10,000 mutated files what tokenizers makes of them, or refuses them with its own error", async () => {
    const different: string[] = [];
    let [accepted, number] = [0, 0];
    for (const mutated of mutations(text, count, seed)) {
      const expected = verdicts.slice(4 * number, 4 * number + 4);
      number++;
      try {
        const tokenizer = await Tokenizer.fromTokenizerJson(mutated, { onWarning: () => {} });
        const ids = texts.map((text) => tokenizer.encode(text, { allowedSpecial: "all" }));
        const verdict = createHash("sha256").update(JSON.stringify(ids)).digest("hex").slice(0, 4);
        if (verdict !== expected) different.push(mutated);
        accepted++;
      } catch (error) {
        if (!(error instanceof TokenizerError)) throw error;
        if (error.message.length > 300) expect(error.message).toBe("a message of at most 300 characters");
      }
    }
    expect(different).toEqual([]);
    expect(accepted).toBeGreaterThan(400); // the others are no JSON any more, or no tokenizer
  });
});
