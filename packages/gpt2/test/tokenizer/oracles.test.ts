import { readFileSync } from "node:fs";
import { get_encoding } from "tiktoken";
import { describe, expect, it } from "vitest";
import { trainBPE } from "../../src/tokenizer/train.ts";
import { generator, randomTexts } from "./oracle/random-texts.ts";
import { Digest } from "./support/digest.ts";
import { gpt2Tokenizer } from "./support/gpt2-vocabulary.ts";

interface Fixtures {
  random: { count: number; seed: number; texts: string; ids: string; idsWithSpecial: string };
  decoding: { count: number; seed: number; texts: string };
  real: Record<string, { text: string; tokens: number; ids: string }>;
  training: { count: number; seed: number; vocabSize: number; merges: string[]; lastId: number };
}

// Made by oracle/make_fixtures.py with Hugging Face's Python package. tiktoken runs right here.
const huggingFace: Fixtures = JSON.parse(readFileSync(new URL("fixtures/huggingface.json", import.meta.url), "utf8"));
const tiktoken = get_encoding("gpt2");
const tokenizer = gpt2Tokenizer();

/** Plain comparison of the ids, because `expect` on each of a hundred thousand arrays is slow. */
function expectSameIds(ids: readonly number[], oracle: ArrayLike<number>, text: string): void {
  if (ids.length === oracle.length && ids.every((id, i) => id === oracle[i])) return;
  expect({ text, ids }).toEqual({ text, ids: Array.from(oracle) });
}

describe("the tokenizer with GPT-2's vocabulary", () => {
  it("encodes 110,000 random Unicode texts as tiktoken and Hugging Face tokenizers do, and gets each text back", () => {
    const { count, seed } = huggingFace.random;
    const [texts, ids, idsWithSpecial] = [new Digest(), new Digest(), new Digest()];
    for (const text of randomTexts(count, seed)) {
      const encoded = tokenizer.encode(text);
      expectSameIds(encoded, tiktoken.encode_ordinary(text), text);
      if (tokenizer.decode(encoded) !== text) expect(tokenizer.decode(encoded)).toBe(text);

      const withSpecial = text.includes("<|") ? tokenizer.encode(text, { allowedSpecial: "all" }) : encoded;
      if (text.includes("<|")) expectSameIds(withSpecial, tiktoken.encode(text, "all"), text);

      texts.text(text);
      ids.ids(encoded);
      idsWithSpecial.ids(withSpecial);
    }
    expect(texts.hex()).toBe(huggingFace.random.texts);
    expect(ids.hex()).toBe(huggingFace.random.ids);
    expect(idsWithSpecial.hex()).toBe(huggingFace.random.idsWithSpecial);
  });

  it("decodes 20,000 random id sequences, most of them not UTF-8, as Hugging Face does, at once and as a stream", () => {
    const { count, seed } = huggingFace.decoding;
    const below = generator(seed);
    const texts = new Digest();
    const streamed = new Digest();
    for (let i = 0; i < count; i++) {
      const sequence = Array.from({ length: 1 + below(12) }, () => below(tokenizer.vocabSize));
      const ids = sequence.map((id) => (below(3) > 0 ? id : id % 256));
      texts.text(tokenizer.decode(ids));
      const stream = tokenizer.streamDecoder();
      streamed.text(ids.map((id) => stream.push(id)).join("") + stream.flush());
    }
    expect(texts.hex()).toBe(huggingFace.decoding.texts);
    expect(streamed.hex()).toBe(huggingFace.decoding.texts);
  });

  it.each(Object.entries(huggingFace.real))("encodes %s as tiktoken and Hugging Face do", (name, expected) => {
    const text = readFileSync(new URL(`../../../../node_modules/${name}`, import.meta.url), "utf8");
    const textDigest = new Digest();
    textDigest.text(text);
    expect(textDigest.hex(), "the package changed: run oracle/make_fixtures.py again").toBe(expected.text);

    const ids = tokenizer.encode(text);
    expectSameIds(ids, tiktoken.encode_ordinary(text), name);
    const idsDigest = new Digest();
    idsDigest.ids(ids);
    expect(ids.length).toBe(expected.tokens);
    expect(idsDigest.hex()).toBe(expected.ids);
    expect(tokenizer.decode(ids) === text).toBe(true);
  });
});

describe("trainBPE", () => {
  it("learns the merges that Hugging Face's trainer learns, in the same order", async () => {
    const { count, seed, vocabSize, merges, lastId } = huggingFace.training;
    const trained = await trainBPE(randomTexts(count, seed), { vocabSize, specialTokens: [] });
    expect(trained.merges.map((pair) => pair.join(" "))).toEqual(merges);
    expect(Object.keys(trained.vocab)).toHaveLength(lastId + 1);
  });
});
