import { OptionError } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TokenizerError } from "../../src/tokenizer/errors.ts";
import { gpt2Tokenizer } from "./support/gpt2-vocabulary.ts";

const tokenizer = gpt2Tokenizer();
/** Each byte's token, found by decoding: the first 256 ids are the bytes. */
const idOfByte = Array.from({ length: 256 }).reduce<number[]>((ids, _, id) => {
  ids[tokenizer.decodeBytes([id])[0]!] = id;
  return ids;
}, []);
const anyIds = fc.array(fc.oneof(fc.nat(50256), fc.nat(255)), { maxLength: 30 });

describe("encode and decode", () => {
  it("give every string of Unicode back, byte order marks and noncharacters included", () => {
    const roundTrip = (text: string): void => {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    };
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), roundTrip), { numRuns: 3_000 });
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), roundTrip), { numRuns: 1_000 });
    for (const text of ["", "\ufeff", "\ufeffa", "a\ufeff", "\0", "\uffff\u{10ffff}", "\ufffd"]) roundTrip(text);
  });

  it("write a lone surrogate as U+FFFD, as UTF-8 does", () => {
    const anyUnits = fc.string({
      unit: fc.oneof(fc.constantFrom("\ud83d", "\ude00", "a", " "), fc.string({ maxLength: 1 })),
    });
    fc.assert(
      fc.property(anyUnits, (text) => {
        const wellFormed = new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(text));
        expect(tokenizer.encode(text)).toEqual(tokenizer.encode(wellFormed));
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(wellFormed);
      }),
    );
  });

  it("give the same ids again when words come from the cache, and when it overflows", () => {
    const text = Array.from({ length: 40_000 }, (_, i) => ` ${i.toString(36)}x`).join("");
    const first = tokenizer.encode(text);
    expect(tokenizer.encode(text)).toEqual(first);
    expect(gpt2Tokenizer().encode(text)).toEqual(first);
  });

  it("do not let a caller's changes into the cache", () => {
    const ids = tokenizer.encode(" tokenization");
    const copy = [...ids];
    ids.fill(0);
    expect(tokenizer.encode(" tokenization")).toEqual(copy);
  });

  it("give nothing for an id without a token, which models with a padded vocabulary have", () => {
    expect(tokenizer.decode([15496, 50257, 995, 2 ** 40])).toBe("Hello world");
    expect(tokenizer.decodeBytes([50257])).toEqual(new Uint8Array(0));
    expect(tokenizer.tokens([50257, 0])).toEqual(["", "!"]);
    const stream = tokenizer.streamDecoder();
    const [first, second] = tokenizer.encode("😀");
    expect([first!, 60000, second!].map((id) => stream.push(id))).toEqual(["", "", "😀"]);
    expect([...tokenizer.idsWithoutToken(50260)]).toEqual([50257, 50258, 50259]);
    expect(tokenizer.idsWithoutToken(50257)).toHaveLength(0);
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])("refuse %d as an id", (id) => {
    for (const use of [
      () => tokenizer.decode([1, id]),
      () => tokenizer.decodeBytes([id]),
      () => tokenizer.tokens([id]),
      () => tokenizer.streamDecoder().push(id),
    ]) {
      expect(use).toThrow(TokenizerError);
      expect(use).toThrow(`token id ${id} is not a whole number from 0 on`);
    }
  });

  it("take ids from any iterable", () => {
    expect(tokenizer.decode(Int32Array.of(15496, 995))).toBe("Hello world");
    expect(tokenizer.decode(new Set([15496]))).toBe("Hello");
    expect(tokenizer.decodeBytes([])).toEqual(new Uint8Array(0));
  });
});

describe("special tokens", () => {
  const text = "a<|endoftext|>b";

  it("are ordinary characters unless allowed", () => {
    const ordinary = tokenizer.encode(text);
    expect(ordinary).not.toContain(tokenizer.endOfText);
    expect(tokenizer.encode(text, {})).toEqual(ordinary);
    expect(tokenizer.encode(text, { allowedSpecial: "none" })).toEqual(ordinary);
    expect(tokenizer.encode(text, { allowedSpecial: [] })).toEqual(ordinary);
    expect(tokenizer.decode(ordinary)).toBe(text);
  });

  it("become their id where they are allowed, and decode to their text", () => {
    for (const allowedSpecial of ["all" as const, ["<|endoftext|>"], new Set(["<|endoftext|>"])]) {
      expect(tokenizer.encode(text, { allowedSpecial })).toEqual([64, 50256, 65]);
    }
    expect(tokenizer.decode([64, 50256, 65])).toBe(text);
    expect(tokenizer.encode("<|endoftext|>", { allowedSpecial: "all" })).toEqual([50256]);
    expect(tokenizer.encode("", { allowedSpecial: "all" })).toEqual([]);
  });

  it("stand for their own text, byte symbols in it too", () => {
    const special = gpt2Tokenizer({ "<Ġpad>": 50257 });
    expect(special.decode(special.encode(" pad<Ġpad>", { allowedSpecial: "all" }))).toBe(" pad<Ġpad>");
    expect(special.encode(" pad<Ġpad>", { allowedSpecial: "all" }).at(-1)).toBe(50257);
  });

  it("match the longest one where two do", () => {
    const special = gpt2Tokenizer({ "<|endoftext|>+": 50257, "$^.*\\": 50258 });
    const ids = special.encode("<|endoftext|>+<|endoftext|>$^.*\\", { allowedSpecial: "all" });
    expect(ids).toEqual([50257, 50256, 50258]);
    const some = special.encode("<|endoftext|>+", { allowedSpecial: ["<|endoftext|>"] });
    expect(some).toEqual([50256, 10]);
  });

  it.each([
    [{ allowedSpecial: ["<|pad|>"] }, /allowedSpecial: "<\|pad\|>" is not a special token/],
    [{ allowedSpecial: "<|endoftext|>" }, /"none", "all" or a list of tokens/],
    [{ allowSpecial: "all" }, /allowSpecial: there is no such option; there are allowedSpecial/],
  ])("refuse %j", (options, message) => {
    expect(() => tokenizer.encode(text, options as object)).toThrow(OptionError);
    expect(() => tokenizer.encode(text, options as object)).toThrow(message);
  });
});

describe("a stream decoder", () => {
  it("gives in pieces what decode gives at once, for any ids", () => {
    fc.assert(
      fc.property(anyIds, (ids) => {
        const stream = tokenizer.streamDecoder();
        expect(ids.map((id) => stream.push(id)).join("") + stream.flush()).toBe(tokenizer.decode(ids));
      }),
      { numRuns: 3_000 },
    );
  });

  it("never gives half a character, and never waits for more than it must", () => {
    const text = fc.string({ unit: fc.constantFrom("é", "漢", "😀", "a", " ", "\u{10ffff}", "\u0800"), minLength: 1 });
    const leads = [0xc0, 0xc1, 0xc2, 0xe0, 0xe1, 0xed, 0xf0, 0xf1, 0xf4, 0xf5, 0xf8, 0xff];
    const anyBytes = fc.array(fc.constantFrom(...leads, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0x61), { maxLength: 20 });
    const ids = fc.oneof(
      text.map((text) => tokenizer.encode(text)),
      anyBytes.map((bytes) => bytes.map((byte) => idOfByte[byte]!)),
    );
    fc.assert(
      fc.property(ids, (ids) => {
        const stream = tokenizer.streamDecoder();
        let given = "";
        for (const [i, id] of ids.entries()) {
          given += stream.push(id);
          const soFar = tokenizer.decodeBytes(ids.slice(0, i + 1));
          expect(given).toBe(new TextDecoder("utf-8", { ignoreBOM: true }).decode(soFar, { stream: true }));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("ends an unfinished character with U+FFFD, and can then be used again", () => {
    const [first] = tokenizer.encode("😀");
    const stream = tokenizer.streamDecoder();
    expect(stream.push(first!)).toBe("");
    expect(stream.flush()).toBe("\ufffd");
    expect(stream.push(64)).toBe("a");
    expect(stream.flush()).toBe("");
  });
});

describe("tokens", () => {
  it("show text as it is, and bytes that are part of a character as \\xNN", () => {
    const shown = (text: string) => tokenizer.tokens(tokenizer.encode(text));
    expect(shown("Hello world\n")).toEqual(["Hello", " world", "\n"]);
    expect(shown("😀")).toEqual(["\\xf0\\x9f\\x98", "\\x80"]);
    expect(shown("café\ufffd")).toEqual(["c", "af", "é", "\ufffd"]);
    expect(tokenizer.tokens([50256])).toEqual(["<|endoftext|>"]);
  });

  it("show every token of GPT-2 such that its bytes can be told", () => {
    for (let id = 0; id < tokenizer.vocabSize; id++) {
      const [shown] = tokenizer.tokens([id]);
      const bytes = [...shown!.matchAll(/\\x([0-9a-f]{2})|[\s\S]/gu)].flatMap(([part, hex]) => {
        return hex === undefined ? [...Buffer.from(part)] : [Number.parseInt(hex, 16)];
      });
      expect(bytes).toEqual([...tokenizer.decodeBytes([id])]);
    }
  });
});
