import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadTokenizer } from "../../src/checkpoint/load-tokenizer.ts";
import { modelSource } from "../../src/checkpoint/source/index.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { type Document, encodeDocuments, holdOut, joinTokens } from "../../src/train/data.ts";
import { documentsOf, textFiles } from "../../src/train/folder/text-files.ts";
import { SHAKESPEARE } from "../support/models.ts";

let tokenizer: Tokenizer;
let folder: string;
beforeAll(async () => {
  tokenizer = await loadTokenizer(await modelSource(SHAKESPEARE));
  folder = await mkdtemp(join(tmpdir(), "gpt2-train-data-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function* inPieces(text: string, length: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length);
}

describe("tokens of texts", () => {
  it("are those of each text, whole or in pieces, and the end of a text behind it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: "grapheme" })),
        fc.integer({ min: 1, max: 9 }),
        async (texts, length) => {
          const wanted = texts.flatMap((text) => [...tokenizer.encode(text), tokenizer.endOfText!]);
          const whole = await encodeDocuments(texts, tokenizer);
          expect([...whole.ids]).toEqual(wanted);
          expect(whole.characters).toBe(texts.join("").length);
          const pieces = texts.map((text): Document => inPieces(text, length));
          expect([...(await encodeDocuments(pieces, tokenizer)).ids]).toEqual(wanted);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("take two bytes each, also when there are more than there was room for", async () => {
    const { ids } = await encodeDocuments(["To be ".repeat(60_000)], tokenizer);
    expect(ids).toBeInstanceOf(Uint16Array);
    expect(ids.length).toBeGreaterThan(2 ** 16);
    expect(tokenizer.decode([...ids.slice(-4, -1)])).toContain("be");
  });

  it("refuses one text where several are expected, which would be taken apart", async () => {
    await expect(encodeDocuments("To be", tokenizer)).rejects.toThrow("expected several texts");
  });

  it("are held out at the end", () => {
    const ids = Uint16Array.from({ length: 10 }, (_, i) => i);
    const { train, heldOut } = holdOut(ids, 0.25);
    expect([[...train], [...heldOut]]).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7],
      [8, 9],
    ]);
    expect([...joinTokens([train, heldOut])]).toEqual([...ids]);
    expect(() => holdOut(ids, 1)).toThrow("heldOut: expected a share from 0 to below 1, got 1");
  });
});

describe("text files", () => {
  const write = async (name: string, text: string | Uint8Array): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
  };
  const read = async (path: string, part: "train" | "heldOut", share: number): Promise<string[]> => {
    const texts: string[] = [];
    for await (const document of documentsOf(await textFiles("text", [path], share), part)) {
      let text = "";
      for await (const piece of typeof document === "string" ? [document] : document) text += piece;
      texts.push(text);
    }
    return texts;
  };

  it("the parts of a file are the file, cut where a line begins, or at least a character", async () => {
    let number = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { minLength: 1 }),
        fc.constantFrom("\n", ""),
        fc.double({ min: 0, max: 0.95, noNaN: true }),
        async (lines, separator, share) => {
          const text = lines.join(separator);
          const path = await write(`parts-${number++ % 4}.txt`, text);
          const [train, heldOut] = [await read(path, "train", share), await read(path, "heldOut", share)];
          expect([...train, ...heldOut].join("")).toBe(text.replace(/^\ufeff/, ""));
          if (separator === "\n" && train.length > 0 && heldOut.length > 0 && !/[^\n]$/.test(train[0]!)) {
            expect(train[0]!.endsWith("\n")).toBe(true);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it("each line of a .jsonl file is a text, and belongs to one part", async () => {
    const texts = Array.from({ length: 20 }, (_, i) => `text ${i}\nwith “two” lines`);
    const lines = texts.map((text) => JSON.stringify({ text, other: 1 }));
    const path = await write("texts.jsonl", `${lines.join("\n")}\n\n`);
    expect(await read(path, "train", 0)).toEqual(texts);
    const [train, heldOut] = [await read(path, "train", 0.25), await read(path, "heldOut", 0.25)];
    expect([...train, ...heldOut]).toEqual(texts);
    expect(heldOut.length).toBeGreaterThanOrEqual(4);
  });

  it.each([
    ["not.jsonl", '{"text": "a"}\nnot json\n', /text: .*not\.jsonl, line 2 of its part is not JSON/],
    ["none.jsonl", '{"body": "a"}\n', /line 1 of its part: expected {"text": …}, got { body }/],
    ["broken.txt", Uint8Array.of(0x61, 0xff, 0x62), /text: .*broken\.txt is not UTF-8 text/],
    ["cut.txt", Uint8Array.of(0x61, 0xe2, 0x82), /text: .*cut\.txt is not UTF-8 text/],
    ["empty.txt", "", /text: .*empty\.txt is empty/],
  ])("%s: says what is wrong", async (name, content, message) => {
    const path = await write(name, content);
    await expect(read(path, "train", 0)).rejects.toThrow(message);
  });

  it("a path without a file is told", async () => {
    await expect(textFiles("text", [join(folder, "nothing")], 0)).rejects.toThrow(/^text: there is no file .*nothing$/);
    await expect(textFiles("text", [folder], 0)).rejects.toThrow(/is not a file$/);
  });
});
