import { describe, expect, it } from "vitest";
import { bytesInVocabularyOrder, bytesToSymbols } from "../../src/tokenizer/byte-symbols.ts";
import { TokenizerError } from "../../src/tokenizer/errors.ts";
import { MergeTable } from "../../src/tokenizer/merge.ts";
import { TokenTable } from "../../src/tokenizer/token-table.ts";
import { Tokenizer } from "../../src/tokenizer/tokenizer.ts";

const bytes = bytesInVocabularyOrder.map((byte) => bytesToSymbols([byte]));
const vocab: Record<string, number> = Object.fromEntries([...bytes, "ab"].map((token, id) => [token, id]));

async function errorOf(make: () => unknown): Promise<TokenizerError> {
  try {
    await make();
  } catch (error) {
    if (error instanceof TokenizerError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

/** A tokenizer.json with these fields in place of the usual ones. */
function tokenizerJson({ model = {}, ...fields }: Record<string, unknown> & { readonly model?: object }): string {
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return JSON.stringify({
    version: "1.0",
    added_tokens: [],
    pre_tokenizer: byteLevel,
    decoder: byteLevel,
    ...fields,
    model: { type: "BPE", vocab, merges: [["a", "b"]], ...model },
  });
}

const addedToken = (content: string, flags = {}) => {
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: true, special: false };
  return { id: 0, content, ...plain, ...flags };
};

// So large that a test would run into its time limit, were anything quadratic.
describe("files that are made to take long", () => {
  // FNV-1a with known numbers, as the table of tokens had it: 65,536 such tokens took 17 seconds, four times as many 16 times longer.
  const hashed = (hash: number, character: number): number => {
    const next = Math.imul(hash ^ character, 0x01000193);
    return next ^ (next >>> 15);
  };

  /**
   * 2^18 texts with one hash: eighteen times one of two pieces of two characters. Two first characters lead to numbers that differ in
   * the lower half only; the second characters make up for that.
   */
  function collidingTokens(): string[] {
    let hash = 0x811c9dc5 | 0;
    let texts = [""];
    for (let i = 0; i < 18; i++) {
      const seen = new Map<number, number>();
      for (let first = 0x100; ; first++) {
        const state = hashed(hash, first);
        const other = seen.get(state >>> 16);
        seen.set(state >>> 16, first);
        if (other === undefined) continue;
        const difference = (state ^ hashed(hash, other)) & 0xffff;
        const pieces = [String.fromCharCode(first, 0x200), String.fromCharCode(other, 0x200 ^ difference)];
        texts = texts.flatMap((text) => pieces.map((piece) => text + piece));
        hash = hashed(state, 0x200);
        break;
      }
    }
    return texts;
  }

  it("take no longer for tokens that fell into one slot of a table without keys", async () => {
    const tokens = collidingTokens();
    const hashes = tokens.map((token) => {
      let hash = 0x811c9dc5 | 0;
      for (let i = 0; i < token.length; i++) hash = hashed(hash, token.charCodeAt(i));
      return hash;
    });
    expect(tokens).toHaveLength(2 ** 18);
    expect(new Set(hashes).size).toBe(1);

    const table = new TokenTable(tokens.length, 36 * tokens.length);
    for (const [id, token] of tokens.entries()) table.set(token, id);
    expect(tokens.every((token, id) => table.idOf(token) === id)).toBe(true);
  });

  it("take no longer for merges that fell into one slot of a table without keys", async () => {
    // left · A ^ right · B with known A and B: for any right there is a left with the same hash.
    const [a, b] = [0x9e3779b1, 0x85ebca6b];
    let inverse = a;
    for (let i = 0; i < 5; i++) inverse = Math.imul(inverse, 2 - Math.imul(a, inverse));
    expect(Math.imul(a, inverse)).toBe(1);
    const pairs = Array.from({ length: 2 ** 18 }, (_, right) => [Math.imul(inverse, 77 ^ Math.imul(right, b)), right]);
    expect(new Set(pairs.map(([left, right]) => Math.imul(left!, a) ^ Math.imul(right!, b))).size).toBe(1);

    const table = new MergeTable(pairs.length);
    for (const [result, [left, right]] of pairs.entries()) table.add({ left: left!, right: right!, result });
    expect(pairs.every(([left, right], rank) => table.rankOf(left!, right!) === rank)).toBe(true);
  });

  it("take no longer for added tokens that all but match everywhere", async () => {
    const almost = "a".repeat(400_000);
    const added = [
      addedToken(`${almost}b`),
      addedToken(`b${almost}`),
      addedToken("aa", { rstrip: true, lstrip: true }),
    ];
    const tokenizer = await Tokenizer.fromTokenizerJson(tokenizerJson({ added_tokens: added }), {
      onWarning: () => {},
    });
    const text = "a".repeat(1_000_001);
    expect(tokenizer.encode(text)).toHaveLength(500_001); // an "a" is left
  });

  it("take no longer for white space between tokens that strip it", async () => {
    const added = [addedToken(" ", { rstrip: true, lstrip: true }), addedToken("x", { rstrip: true, lstrip: true })];
    const tokenizer = await Tokenizer.fromTokenizerJson(tokenizerJson({ added_tokens: added }), {
      onWarning: () => {},
    });
    const text = `${" ".repeat(1_000_000)}x`.repeat(2);
    tokenizer.encode(text);
  });

  it("take no longer for 100,000 added tokens", async () => {
    const added = Array.from({ length: 100_000 }, (_, i) => addedToken(`<${i}>`, { special: i % 2 === 0 }));
    const json = tokenizerJson({ added_tokens: added });
    const tokenizer = await Tokenizer.fromTokenizerJson(json, { onWarning: () => {} });
    const times = 50_000;
    const ids = tokenizer.encode("<7><99999> <8>".repeat(times), { allowedSpecial: ["<8>"] });
    expect(ids).toHaveLength(4 * times);
  });
});

describe("files that are made to take much memory", () => {
  it("are refused: nesting, ids and added tokens beyond all measure", async () => {
    const deep = "[".repeat(3_000_000);
    for (const make of [
      () => Tokenizer.fromTokenizerJson(`{"version": ${deep}`),
      () => Tokenizer.fromVocab({ vocab: `{"a": ${deep}`, merges: "" }),
    ]) {
      expect((await errorOf(make)).message).toContain("not valid JSON: it is cut off, or nested too deep");
    }
    const far = tokenizerJson({ model: { vocab: { ...vocab, far: 999_999_999 } } });
    expect(await errorOf(() => Tokenizer.fromTokenizerJson(far))).toMatchObject({ id: 999_999_999, token: "far" });
    const long = tokenizerJson({ added_tokens: [addedToken("x".repeat(2 ** 20 + 1))] });
    const tokenizer = await Tokenizer.fromTokenizerJson(long, { onWarning: () => {} });
    expect((await errorOf(() => tokenizer.encode("x"))).message).toContain(
      "the added tokens have 1048577 characters together",
    );
  });
});

describe("messages", () => {
  const noise = `a\u001b[31m\u009b\u202e${"  ".repeat(1_000_000)}`;

  it.each<[string, () => unknown, Partial<TokenizerError>]>([
    ["a line of blanks", () => Tokenizer.fromVocab({ vocab, merges: noise }), { file: "merges.txt", line: 1 }],
    ["a line of one token", () => Tokenizer.fromVocab({ vocab, merges: "x".repeat(2_000_000) }), { line: 1 }],
    ["an unknown token", () => Tokenizer.fromVocab({ vocab, merges: `a ${"x".repeat(2_000_000)}` }), { line: 1 }],
    ["an id that is text", () => Tokenizer.fromVocab({ vocab: { [noise]: noise as never }, merges: "" }), {}],
    ["one id twice", () => Tokenizer.fromVocab({ vocab: { ...vocab, [noise]: 0 }, merges: "" }), { id: 0 }],
    [
      "an unknown merge",
      () =>
        Tokenizer.fromTokenizerJson(
          tokenizerJson({
            model: {
              merges: [
                ["a", "b"],
                ["a", noise],
              ],
            },
          }),
        ),
      { file: "tokenizer.json", part: "model.merges[1]" },
    ],
    [
      "a normalizer",
      () => Tokenizer.fromTokenizerJson(tokenizerJson({ normalizer: { type: noise } })),
      { part: "normalizer" },
    ],
    ["a field", () => Tokenizer.fromTokenizerJson(tokenizerJson({ [noise]: 1 })), {}],
  ])("cut what they quote, and escape it: %s", async (_, make, fields) => {
    const error = await errorOf(make);
    expect(error).toMatchObject(fields);
    expect(error.message.length).toBeLessThan(300);
    expect(error.message).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
  });
});
