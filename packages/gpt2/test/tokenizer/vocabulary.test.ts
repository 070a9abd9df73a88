import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesInVocabularyOrder, bytesToSymbols, symbolsToBytes } from "../../src/tokenizer/byte-symbols.ts";
import { TokenizerError } from "../../src/tokenizer/errors.ts";
import type { TokenizerFiles } from "../../src/tokenizer/settings.ts";
import { Tokenizer } from "../../src/tokenizer/tokenizer.ts";

const byteTokens: Record<string, number> = Object.fromEntries(
  bytesInVocabularyOrder.map((byte, id) => [bytesToSymbols([byte]), id]),
);

function vocabWith(...tokens: string[]): Record<string, number> {
  return { ...byteTokens, ...Object.fromEntries(tokens.map((token, i) => [token, 256 + i])) };
}

function errorOf(files: TokenizerFiles): TokenizerError {
  try {
    Tokenizer.fromVocab(files);
  } catch (error) {
    if (error instanceof TokenizerError) return error;
    throw error;
  }
  throw new Error("the files were accepted");
}

describe("byte symbols", () => {
  it("give each byte a character of its own, printable and no space, as GPT-2's do", () => {
    const symbols = Array.from({ length: 256 }, (_, byte) => bytesToSymbols([byte]));
    expect(new Set(symbols).size).toBe(256);
    expect(symbols.every((symbol) => /^[\p{L}\p{N}\p{P}\p{S}]$/u.test(symbol))).toBe(true);
    expect(bytesToSymbols(Buffer.from(" a\n\0é\u00ad"))).toBe("ĠaĊĀÃ©ÂŃ");
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(symbolsToBytes(bytesToSymbols(bytes))).toEqual([...bytes]);
      }),
    );
    expect(symbolsToBytes("a b")).toBeUndefined();
  });
});

describe("Tokenizer.fromVocab", () => {
  it("takes vocab.json as text or parsed, with or without a version line, with any line ends", () => {
    const vocab = vocabWith("ab", "abc", "<|endoftext|>");
    for (const merges of ["#version: 0.2\na b\nab c\n", "a b\nab c", "#version: 0.2\r\na b\r\nab c\r\n\r\n"]) {
      for (const tokenizer of [
        Tokenizer.fromVocab({ vocab, merges }),
        Tokenizer.fromVocab({ vocab: JSON.stringify(vocab), merges }),
      ]) {
        expect(tokenizer.encode("abcab")).toEqual([257, 256]);
        expect([tokenizer.vocabSize, tokenizer.endOfText]).toEqual([259, 258]);
      }
    }
  });

  it("reads merges of the number sign, of which `#version` looks like one", () => {
    const vocab = vocabWith("##", "####");
    expect(Tokenizer.fromVocab({ vocab, merges: "# #\n## ##" }).encode("####")).toEqual([257]);
  });

  it("has no end of text if the vocabulary has none", () => {
    expect(Tokenizer.fromVocab({ vocab: byteTokens, merges: "" }).endOfText).toBeUndefined();
  });

  it("takes special tokens in the vocabulary and beyond it", () => {
    const files = { vocab: vocabWith("<a>"), merges: "", specialTokens: { "<a>": 256, "<b>": 257 } };
    const tokenizer = Tokenizer.fromVocab(files);
    expect(tokenizer.encode("<a><b>", { allowedSpecial: "all" })).toEqual([256, 257]);
    expect(tokenizer.vocabSize).toBe(258);
  });

  const merges = "#version: 0.2\na b\n";
  const vocab = vocabWith("ab");
  const proto = JSON.stringify(vocab).replace("{", '{"__proto__": 4194304, ');
  it.each<[string, TokenizerFiles, Partial<TokenizerError>]>([
    ["text that is no JSON", { vocab: "{", merges }, { file: "vocab.json", message: "vocab.json: not valid JSON" }],
    ["JSON that is no object", { vocab: "[1]", merges }, { message: "vocab.json: expected a JSON object" }],
    ["JSON null", { vocab: "null", merges }, { message: "vocab.json: expected a JSON object" }],
    ["an id that is text", { vocab: '{"a": "1"}', merges }, { token: "a", message: 'the id of "a" is "1"' }],
    ["a negative id", { vocab: { ...vocab, b: -1 }, merges }, { token: "b", message: 'the id of "b" is -1' }],
    ["a fractional id", { vocab: { ...vocab, b: 0.5 }, merges }, { token: "b", message: 'the id of "b" is 0.5' }],
    ["one id twice", { vocab: { ...vocab, b: 0 }, merges }, { id: 0, message: '"!" and "b" both have id 0' }],
    ["an id beyond all arrays", { vocab: proto, merges }, { token: "__proto__", id: 2 ** 22, message: "ids end at" }],
    [
      "a vocabulary without tokens",
      { vocab: "{}", merges: "" },
      { file: "vocab.json", message: "there are no tokens" },
    ],
    [
      "merges that are not there",
      { vocab: vocabWith(...Array.from({ length: 300 }, (_, i) => `t${i}`)), merges: "#version: 0.2\n" },
      { file: "merges.txt", message: "there are no merges, but 300 of 556 tokens have several bytes" },
    ],
    ["one token on a line", { vocab, merges: "#version: 0.2\nab\n" }, { file: "merges.txt", line: 2 }],
    ["three tokens on a line", { vocab, merges: "a b c" }, { line: 1, message: "expected two tokens" }],
    ["a line that begins with a space", { vocab, merges: " b" }, { line: 1, message: 'found " b"' }],
    ["an empty line in the middle", { vocab, merges: "\na b" }, { line: 1, message: "expected two tokens" }],
    ["an unknown left part", { vocab, merges: `${merges}xy b` }, { line: 3, token: "xy", message: 'left part "xy"' }],
    ["an unknown right part", { vocab, merges: `${merges}a xy` }, { line: 3, token: "xy", message: 'right part "xy"' }],
    ["an unknown result", { vocab, merges: `${merges}b b` }, { line: 3, token: "bb", message: 'result "bb" is not' }],
    ["an empty special token", { vocab, merges, specialTokens: { "": 257 } }, { message: "a special token is empty" }],
    [
      "a special token with another id",
      { vocab, merges, specialTokens: { ab: 9 } },
      { id: 9, message: "it is 256 in" },
    ],
    [
      "a special token beyond a gap",
      { vocab, merges, specialTokens: { "<x>": 300 } },
      { id: 300, message: "it is 257" },
    ],
  ])("refuses %s", (_, files, expected) => {
    const error = errorOf(files);
    const { message, ...fields } = expected;
    expect(error).toMatchObject({ name: "TokenizerError", ...fields });
    if (message !== undefined) expect(error.message).toContain(message);
  });

  it("refuses an option that does not exist", () => {
    const files = { vocab, merges, vocabulary: {} };
    expect(() => Tokenizer.fromVocab(files)).toThrow("vocabulary: there is no such option");
  });

  it("names the files as its caller does", () => {
    const fileNames = { vocab: "w/vocab.json", merges: "w/merges.txt" };
    expect(errorOf({ vocab: "[]", merges: "", fileNames }).message).toMatch(/^w\/vocab.json: /);
    expect(errorOf({ vocab, merges: "x", fileNames }).message).toMatch(/^w\/merges.txt, line 1: /);
  });

  it("accepts mutated files or refuses them with its own error", () => {
    const vocabText = JSON.stringify(vocabWith("ab", "abc", "<|endoftext|>"));
    const mergesText = "#version: 0.2\na b\nab c\n";
    const mutate = (text: string, at: number, cut: number, insert: string) => {
      const start = at % (text.length + 1);
      return text.slice(0, start) + insert + text.slice(start + cut);
    };
    const edit = fc.tuple(fc.nat(), fc.nat(4), fc.string({ unit: "binary", maxLength: 3 }));
    fc.assert(
      fc.property(edit, edit, fc.string({ unit: "binary" }), (a, b, text) => {
        try {
          const warnings: string[] = [];
          const tokenizer = Tokenizer.fromVocab({
            vocab: mutate(vocabText, ...a),
            merges: mutate(mergesText, ...b),
            onWarning: (warning) => warnings.push(warning),
          });
          const decoded = tokenizer.decode(tokenizer.encode(text));
          if (warnings.length === 0) expect(decoded).toBe(text);
          else
            expect(warnings.join()).toMatch(
              /^vocab.json: \d+ of 256 bytes have no token \(0x.+; in texts they are dropped$/,
            );
        } catch (error) {
          if (!(error instanceof TokenizerError)) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
