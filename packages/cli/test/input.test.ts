import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IdListReader } from "../src/id-list.ts";
import { LineSplitter } from "../src/input-lines.ts";
import { BoundedText, decodeStrictly, Utf8Decoder } from "../src/utf8.ts";

/** The bytes, cut anywhere. */
function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
}

const cuts = fc.array(fc.nat(), { maxLength: 10 });

/** What the decoder makes of bytes in pieces; the message if it refuses them. */
function decoded(chunks: readonly Uint8Array[]): string {
  const decoder = new Utf8Decoder("input");
  try {
    const text = chunks.map((chunk) => decoder.push(chunk)).join("");
    decoder.end();
    return text;
  } catch (error) {
    return (error as Error).message;
  }
}

describe("UTF-8 in pieces", () => {
  it("gives the text, however it is cut", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), cuts, (text, places) => {
        expect(decoded(pieces(Buffer.from(text), places))).toBe(text);
      }),
    );
    expect(decoded([Buffer.from("\ufeffa"), Buffer.from("\ufeff")])).toBe("\ufeffa\ufeff");
  });

  it("names the byte that is wrong, the same for every cut", () => {
    const byte = fc.oneof(
      fc.constantFrom(0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0xed, 0xa0, 0xff),
      fc.nat(255),
    );
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 12 }), cuts, (values, places) => {
        const bytes = Uint8Array.from(values);
        expect(decoded(pieces(bytes, places))).toBe(decoded([bytes]));
        let sound: string | undefined;
        try {
          sound = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
        } catch {}
        if (sound === undefined) expect(decoded([bytes])).toMatch(/^input is not UTF-8 text \(at byte \d+\)$/);
        else expect(decoded([bytes])).toBe(sound);
      }),
      { numRuns: 3_000 },
    );
    expect(decoded([Buffer.from("aé"), Uint8Array.of(0xe2), Uint8Array.of(0x82), Uint8Array.of(0x28)])).toBe(
      "input is not UTF-8 text (at byte 3)",
    );
    expect(decoded([Uint8Array.of(0x61, 0xe2, 0x82)])).toBe("input is not UTF-8 text (at byte 1)");
  });

  it("says that a text is too long, and not that it is not UTF-8", () => {
    expect(decodeStrictly(Buffer.from("é".repeat(10)), "input", 10)).toBe("é".repeat(10));
    expect(() => decodeStrictly(Buffer.from("é".repeat(11)), "input", 10)).toThrow(
      "input is too long: a text has at most 10 characters",
    );
    const text = new BoundedText("standard input", 5);
    text.append("abc");
    expect(() => text.append("def")).toThrow("standard input is too long: a text has at most 5 characters");
    expect(`${text}`).toBe("abc");
  });
});

describe("lines of input", () => {
  it("are those of the whole, numbered, however they arrive", () => {
    const bytes = fc.array(fc.constantFrom(0x0a, 0x0a, 0x0d, 0x61, 0xff)).map((values) => Buffer.from(values));
    fc.assert(
      fc.property(bytes, cuts, (input, places) => {
        const splitter = new LineSplitter();
        const lines = pieces(input, places).flatMap((piece) => splitter.push(piece));
        const last = splitter.end();
        const expected = input.toString("latin1").split("\n");
        if (expected.at(-1) === "") expected.pop();
        expect(
          [...lines, ...(last ? [last] : [])].map(({ number, bytes }) => [
            number,
            Buffer.from(bytes!).toString("latin1"),
          ]),
        ).toEqual(expected.map((line, i) => [i + 1, line]));
      }),
    );
  });

  it("are not kept beyond a length, and those after it are", () => {
    const splitter = new LineSplitter(5);
    const lines = ["abcde\nabc", "de", "f", "ghi\nkl\n", "mnopqrst"].flatMap((text) =>
      splitter.push(Buffer.from(text)),
    );
    expect([...lines, splitter.end()].map((line) => [line!.number, line!.bytes?.toString()])).toEqual([
      [1, "abcde"],
      [2, undefined],
      [3, "kl"],
      [4, undefined],
    ]);
  });
});

describe("a list of ids", () => {
  function read(texts: readonly string[]): number[] {
    const reader = new IdListReader();
    const ids = texts.flatMap((text) => reader.push(text));
    reader.end();
    return ids;
  }

  it("is a JSON array of integers, however it is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeInteger()), fc.constantFrom(0, 1, "\t"), cuts, (ids, space, places) => {
        const bytes = Buffer.from(JSON.stringify(ids, null, space));
        expect(read(pieces(bytes, places).map(String))).toEqual(ids);
      }),
    );
    expect(read([" [1e2 , 1.0]\r\n"])).toEqual([100, 1]);
  });

  it.each([
    ["", "expected a JSON array of token ids; it ends before the array does"],
    ["[1,2", "ends before"],
    ["[1,", "ends before"],
    ["1 2", "standard input: expected a JSON array of token ids"],
    ["{}", "expected a JSON array"],
    ["[1] 2", "expected a JSON array"],
    ["[1]]", "expected a JSON array"],
    ["[1 2]", "expected a JSON array"],
    ["[1,]", "item 1 is not a token id"],
    ["[,1]", "item 0 is not a token id"],
    ["[1.5]", "item 0 is not a token id"],
    ["[1,01]", "item 1 is not a token id"],
    ['["1"]', "item 0 is not a token id"],
    ["[[1]]", "item 0 is not a token id"],
    ["[null]", "item 0 is not a token id"],
    [`[${"9".repeat(1_000)}]`, "item 0 is not a token id"],
    [`[0.${"0".repeat(1_000)}]`, "expected a JSON array"],
  ])("is refused otherwise: %.20s", (text, message) => {
    expect(() => read([text])).toThrow(message);
    expect(() => read([...text])).toThrow(message);
  });
});
