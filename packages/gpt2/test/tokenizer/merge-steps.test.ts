import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TokenizerError } from "../../src/tokenizer/errors.ts";
import { mergeSteps } from "../../src/tokenizer/merge-steps.ts";
import { Tokenizer } from "../../src/tokenizer/tokenizer.ts";

const weights = new URL("../../../../weights/shakespeare/", import.meta.url);
const merges = readFileSync(new URL("merges.txt", weights), "utf8");
const vocab = readFileSync(new URL("vocab.json", weights), "utf8");
const tokenizer = Tokenizer.fromVocab({ vocab, merges });
const ids: Readonly<Record<string, number>> = JSON.parse(vocab);
/** The pairs of merges.txt, by rank. */
const pairs = merges
  .trimEnd()
  .split("\n")
  .filter((line) => !line.startsWith("#version"));

/** The tokens of a text's bytes, and all that merging makes of them until it ends: OpenAI's `bpe`, on symbols. */
function partsAfterEachStep(word: string): string[][] {
  const states = [Array.from(word)];
  for (;;) {
    const parts = states.at(-1)!;
    const ranks = parts.slice(1).map((right, i) => pairs.indexOf(`${parts[i]} ${right}`));
    const rank = Math.min(...ranks.filter((each) => each >= 0));
    if (rank === Infinity) return states;
    const at = ranks.indexOf(rank);
    states.push([...parts.slice(0, at), parts[at]! + parts[at + 1]!, ...parts.slice(at + 2)]);
  }
}

describe("the steps that make a token", () => {
  it("are those of the definition, on the lines of merges.txt, for every token of the shipped vocabulary", () => {
    let steps = 0;
    for (const [symbols, id] of Object.entries(ids)) {
      if (symbols === "<|endoftext|>") continue;
      let parts = Array.from(symbols);
      const states = [parts];
      for (const { rank, position, left, right, result } of mergeSteps(tokenizer, id)) {
        expect(pairs[rank]).toBe(`${parts[position]} ${parts[position + 1]}`);
        const names = [parts[position]!, parts[position + 1]!];
        expect([left, right, result]).toEqual([...names, names.join("")].map((name) => ids[name]));
        parts = [...parts.slice(0, position), names.join(""), ...parts.slice(position + 2)];
        states.push(parts);
        steps++;
      }
      expect(parts).toEqual([symbols]);
      expect(states).toEqual(partsAfterEachStep(symbols));
    }
    expect(steps).toBeGreaterThan(1000);
  });

  it("are the same in any word: encoding it does just these, and no others", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,14}$/), (word) => {
        const made = tokenizer.encode(word).flatMap((id) => mergeSteps(tokenizer, id).map(({ rank }) => rank));
        const states = partsAfterEachStep(word);
        expect(made.length).toBe(states.length - 1);
        expect(states.at(-1)).toEqual(tokenizer.tokens(tokenizer.encode(word)));
      }),
    );
  });

  it("are none for a byte, an added token and an id without a token, and an error for what is no id", () => {
    expect(mergeSteps(tokenizer, ids["a"]!)).toEqual([]);
    expect(mergeSteps(tokenizer, tokenizer.endOfText!)).toEqual([]);
    expect(mergeSteps(tokenizer, 5000)).toEqual([]);
    expect(() => mergeSteps(tokenizer, -1)).toThrow(TokenizerError);
  });
});
