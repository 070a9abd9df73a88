import { OptionError } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endOfWord } from "../../src/tokenizer/split.ts";
import { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { type TrainProgress, trainBPE } from "../../src/tokenizer/train.ts";
import { generator, randomTexts } from "./oracle/random-texts.ts";

/** A text's words as byte tokens (one Latin-1 character a byte); for ASCII texts, where bytes are their own symbols. */
function wordsOf(text: string): string[][] {
  const words: string[][] = [];
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = endOfWord(text, start);
    words.push([...text.slice(start, end).replaceAll(" ", "Ġ")]);
  }
  return words;
}

/** Counts all pairs from scratch. */
function pairCounts(words: readonly string[][]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) {
    for (let i = 0; i + 1 < word.length; i++) {
      const pair = `${word[i]} ${word[i + 1]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
  }
  return counts;
}

function mergeAll(words: readonly string[][], left: string, right: string): string[][] {
  return words.map((word) => {
    const merged: string[] = [];
    for (let i = 0; i < word.length; i++) {
      if (word[i] === left && word[i + 1] === right) {
        merged.push(left + right);
        i++;
      } else merged.push(word[i]!);
    }
    return merged;
  });
}

describe("trainBPE", () => {
  it("merges a pair that is the most frequent at that step, and of equal ones that with the lowest ids", async () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c", " ", " a", "aa", "abc"), maxLength: 120 });
    await fc.assert(
      fc.asyncProperty(text, async (text) => {
        const { vocab, merges } = await trainBPE(text, { vocabSize: 300, specialTokens: [] });
        let words = wordsOf(text);
        for (const [left, right] of merges) {
          const best = [...pairCounts(words)]
            .map(([pair, count]) => ({ count, pair, ids: pair.split(" ").map((token) => vocab[token]!) }))
            .sort((a, b) => b.count - a.count || a.ids[0]! - b.ids[0]! || a.ids[1]! - b.ids[1]!)[0]!;
          expect(`${left} ${right}`).toBe(best.pair);
          expect(best.count).toBeGreaterThanOrEqual(2);
          words = mergeAll(words, left, right);
        }
        if (merges.length < 300 - 256) expect(Math.max(0, ...pairCounts(words).values())).toBeLessThan(2);
        // What training leaves of the text is what encoding makes of it.
        const tokenizer = Tokenizer.fromVocab({ vocab, merges: merges.map((pair) => pair.join(" ")).join("\n") });
        expect(tokenizer.encode(text)).toEqual(words.flat().map((token) => vocab[token]));
      }),
      { numRuns: 300 },
    );
  });

  it("gives files from which a tokenizer is made that encodes and decodes any text", async () => {
    const trained = await trainBPE(randomTexts(500, 9), {
      vocabSize: 600,
      specialTokens: ["<|endoftext|>", "<|pad|>"],
    });
    const files = trained.toFiles();
    const tokenizer = Tokenizer.fromVocab({ ...files, specialTokens: trained.specialTokens });
    expect(JSON.parse(files.vocab)).toEqual(trained.vocab);
    expect([tokenizer.vocabSize, tokenizer.endOfText]).toEqual([600, 598]);
    expect(tokenizer.specialTokens.get("<|pad|>")).toBe(599);
    expect(files.merges.startsWith("#version: 0.2\n")).toBe(true);
    expect(files.merges.split("\n")).toHaveLength(600 - 256 - 2 + 2);
    for (const text of randomTexts(500, 10)) expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });

  it("puts the bytes first in GPT-2's order, then the merges, then the special tokens", async () => {
    const { vocab } = await trainBPE("aaa aaa", { vocabSize: 260 });
    expect([vocab["!"], vocab["~"], vocab["¡"], vocab["ÿ"], vocab["Ā"], vocab["Ń"]]).toEqual([
      0, 93, 94, 187, 188, 255,
    ]);
    expect(Object.entries(vocab).slice(-3)).toEqual([
      ["aa", 256],
      ["aaa", 257],
      ["<|endoftext|>", 258],
    ]);
  });

  it("copes with tokens named like an object's properties", async () => {
    const trained = await trainBPE("constructor ".repeat(9), { vocabSize: 280, specialTokens: ["__proto__"] });
    const { length } = Object.keys(trained.vocab);
    expect(trained.vocab["constructor"]).toBeGreaterThan(255);
    expect(Object.getOwnPropertyDescriptor(trained.vocab, "__proto__")?.value).toBe(length - 1);
    const tokenizer = Tokenizer.fromVocab({ ...trained.toFiles(), specialTokens: trained.specialTokens });
    const ids = tokenizer.encode("constructor__proto__", { allowedSpecial: "all" });
    expect(tokenizer.tokens(ids)).toEqual(["constructor", "__proto__"]);
  });

  it("reads texts from an async iterable, and does not let words run on from one to the next", async () => {
    async function* texts() {
      yield "ab";
      yield "ab";
    }
    const { merges } = await trainBPE(texts(), { vocabSize: 300 });
    expect(merges).toEqual([["a", "b"]]);
  });

  it("reports each merge, and stops when it is told to", async () => {
    const steps: TrainProgress[] = [];
    const controller = new AbortController();
    const training = trainBPE("low lower lowest ".repeat(5), {
      vocabSize: 300,
      signal: controller.signal,
      onProgress: (progress) => {
        steps.push(progress);
        if (progress.merges === 2) controller.abort(new Error("enough"));
      },
    });
    await expect(training).rejects.toThrow("enough");
    expect(steps).toEqual([
      { merges: 1, totalMerges: 43, token: "lo", count: 15 },
      { merges: 2, totalMerges: 43, token: "low", count: 15 },
    ]);
  });

  it("lets a timer abort it", async () => {
    const controller = new AbortController();
    const onProgress = ({ merges }: { readonly merges: number }): void => {
      if (merges === 1) setTimeout(() => controller.abort(new Error("enough")));
      for (const end = performance.now() + 5; performance.now() < end; ); // a merge of a large text
    };
    const text = Array.from(randomTexts(300, 4)).join("");
    const training = trainBPE(text, { vocabSize: 1_000_000, minFrequency: 1, signal: controller.signal, onProgress });
    await expect(training).rejects.toThrow("enough"); // without a turn for the timer it would end well
  });

  it("merges rare pairs only if asked to", async () => {
    expect((await trainBPE("abc", { vocabSize: 300 })).merges).toEqual([]);
    expect((await trainBPE("abc", { vocabSize: 300, minFrequency: 1 })).merges).toHaveLength(2);
  });

  it.each([
    [{ vocabSize: 256 }, /vocabSize: expected an integer from 257 to 4194304, got 256/],
    [{ vocabSize: 300.5 }, /vocabSize.* got 300.5/],
    [{ vocabSize: 300, minFrequency: 0 }, /minFrequency.* got 0/],
    [{ vocabSize: 300, specialTokens: ["<a>", "<a>"] }, /specialTokens: "<a>" twice/],
    [{ vocabSize: 300, specialTokens: [""] }, /empty/],
    [{ vocabSize: 300, specialTokens: ["aa"] }, /"aa" is also learned from the text/],
    [{ vocabSize: 300, vocab_size: 3 }, /vocab_size: there is no such option/],
    [{} as { vocabSize: number }, /vocabSize: is needed/],
  ])("refuses %j", async (options, message) => {
    const training = trainBPE("aa aa", options);
    await expect(training).rejects.toThrow(OptionError);
    await expect(training).rejects.toThrow(message);
  });

  it("learns 28,000 tokens from 100,000 words: a look at all words for each would take minutes", async () => {
    const below = generator(5);
    const word = (): string => Array.from({ length: 6 }, () => String.fromCharCode(97 + below(26))).join("");
    const { merges } = await trainBPE(Array.from({ length: 100_000 }, word).join(" "), { vocabSize: 1_000_000 });
    expect(merges.length).toBeGreaterThan(28_000);
  });
});
