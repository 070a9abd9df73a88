import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataError } from "../../src/data/errors.ts";
import { readPapers } from "../../src/data/papers.ts";
import { readTexts } from "../../src/data/texts.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hw1-texts-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** The error that reading ends in, without the name of the file in front, which it has to have. */
async function refusal(path: string, reading: Promise<unknown>): Promise<string> {
  const error: unknown = await reading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  const { message } = error as Error;
  expect(message.startsWith(path)).toBe(true);
  return message.slice(path.length).replace(/^: /, "");
}

async function textsRefusal(name: string, content: string | Uint8Array): Promise<string> {
  const path = await file(name, content);
  return refusal(path, readTexts(path));
}

async function papersRefusal(content: string | Uint8Array): Promise<string> {
  const path = await file("papers.csv", content);
  return refusal(path, readPapers(path, 5));
}

describe("texts", () => {
  it("come from a JSON array, or an object in the order of its keys as numbers", async () => {
    expect((await readTexts(await file("a.json", '["b", "", "a"]'))).texts).toEqual(["b", "", "a"]);
    expect((await readTexts(await file("a.json", '{"10": "c", "2": "b", "-1": "a"}'))).texts).toEqual(["a", "b", "c"]);
  });

  it("of a pickle may repeat, but not until no memory holds them", async () => {
    // [s, s, …]: a list, a mark, a string of `length` bytes that is memoized, `count` times the string, and the end.
    const pickle = (length: number, count: number): Uint8Array => {
      const header = Buffer.from([0x80, 4, 0x5d, 0x28, 0x58, 0, 0, 0, 0]);
      header.writeUInt32LE(length, 5);
      const recalled = Buffer.alloc(2 * count).fill(Buffer.from([0x68, 0]));
      return Buffer.concat([header, Buffer.alloc(length, "a"), Buffer.from([0x94]), recalled, Buffer.from("e.")]);
    };
    expect((await readTexts(await file("repeated.pkl", pickle(100, 99)))).texts).toEqual(
      Array(100).fill("a".repeat(100)),
    );
    expect(await textsRefusal("bomb.pkl", pickle(500_000, 200_000))).toBe(
      "its texts repeat: they have 100000500000 characters, in a file of 900012 bytes",
    );
  });

  it("come from JSON Lines, with or without labels", async () => {
    const lines = '"a"\r\n\n{"text": "b", "id": 7}\n';
    expect(await readTexts(await file("a.jsonl", lines))).toEqual({ texts: ["a", "b"], labels: undefined });
    const labelled = '\ufeff{"text": "a", "random": true}\n{"text": "b", "random": false}';
    expect(await readTexts(await file("a.jsonl", labelled))).toEqual({ texts: ["a", "b"], labels: [true, false] });
  });

  it("come from a text file, one a line, without its blank lines", async () => {
    expect((await readTexts(await file("a.txt", "one\r\n\n  two \nthree"))).texts).toEqual(["one", "  two ", "three"]);
  });

  it.each([
    ["a.json", "", "the file is empty"],
    ["a.pkl", "", "the file is empty"],
    ["a.txt", "\n \n", "there is no text in it"],
    ["a.json", "[]", "there is no text in it"],
    ["a.csv", "a", "unknown kind of file; expected .pkl, .json, .jsonl, .txt"],
    ["a.json", "[1", "it is not JSON: "],
    ["a.json", '"a"', "expected a list of strings, or a dict of int to string; found a string"],
    ["a.json", "null", "expected a list of strings, or a dict of int to string; found nothing"],
    ["a.json", '["a", 7]', 'entry 2: expected a string, or an object with "text"; found a number'],
    ["a.json", '["a", {}]', 'entry 2: expected a string, or an object with "text"; found an object'],
    ["a.json", '{"x": "a"}', 'key "x": expected integers as keys'],
    ["a.json", '{"1": ["a"]}', 'key 1: expected a string, or an object with "text"; found a list'],
    ["a.jsonl", '"a"\n\n{"text": 3}', 'line 3: expected a string, or an object with "text"; found an object'],
    ["a.jsonl", '"a"\n{', "line 2: it is not JSON: "],
    ["a.jsonl", '{"text": "a", "random": "yes"}', 'line 1: "random" is neither true nor false'],
    ["a.jsonl", '{"text": "a", "random": true}\n"b"', 'entry 2: it has no "random", as others have'],
    ["a.pkl", "\u0080\u0004", "at byte "],
    ["a.pkl", "N.", "expected a list of strings, or a dict of int to string; found nothing"],
    ["a.pkl", "]C\u0001xa.", 'entry 1: expected a string, or an object with "text"; found bytes'],
    ["a.pkl", "}\u008c\u0001xNs.", 'key "x": expected integers as keys'],
  ])("are refused by file and place: %s with %j", async (name, content, message) => {
    const bytes = name.endsWith(".pkl") ? Buffer.from(content, "latin1") : content;
    expect(await textsRefusal(name, bytes)).toContain(message);
  });

  it("are refused if they are not UTF-8, or not there", async () => {
    expect(await textsRefusal("a.txt", Uint8Array.of(0x61, 0xff))).toBe(" is not UTF-8 text (at byte 1)");
    const nowhere = join(folder, "nowhere.txt");
    expect(await refusal(nowhere, readTexts(nowhere))).toBe("cannot be read (ENOENT)");
    await expect(readTexts(nowhere)).rejects.toThrow(DataError);
  });
});

describe("papers", () => {
  it("come from CSV with quotes, commas and line breaks in it", async () => {
    const csv = '\ufeffTitle,Id,Abstract,PaperText\r\n"A ""b"", c",1,"one\ntwo","x,y"\r\nD,2,,z\r\n';
    expect(await readPapers(await file("papers.csv", csv), 5)).toEqual([
      { title: 'A "b", c', abstract: "one\ntwo", text: "x,y" },
      { title: "D", abstract: "", text: "z" },
    ]);
  });

  it("are read up to those wanted", async () => {
    const path = fileURLToPath(new URL("fixtures/course/papers.csv", import.meta.url));
    const papers = await readPapers(path, 2);
    expect(papers.map(({ title }) => title)).toEqual(['On "method" 0, in brief', 'On "method" 1, in brief']);
    expect(papers[1]!.text).toBe(
      `${papers[1]!.abstract.replaceAll(".\n", ". ")}\n\n${papers[1]!.abstract.replaceAll(".\n", ". ")}`,
    );
  });

  it("may have bare quotes, short rows and long ones, as Python reads them", async () => {
    const csv = 'Title,Abstract,PaperText\n5" disks,a "b" c,d,e\n\nonly a title\n"x"y,"still\nopen,\n';
    expect(await readPapers(await file("papers.csv", csv), 5)).toEqual([
      { title: '5" disks', abstract: 'a "b" c', text: "d" },
      { title: "only a title", abstract: "", text: "" },
      { title: "xy", abstract: "still\nopen,\n", text: "" },
    ]);
  });

  it("are refused by file and line", async () => {
    expect(await papersRefusal("")).toBe("the file is empty");
    expect(await papersRefusal("Title,Abstract,PaperText\n")).toBe("there is no paper in it");
    expect(await papersRefusal("Title,Abstract\na,b\n")).toBe(
      "line 1: there is no column PaperText; expected Title, Abstract, PaperText",
    );
    expect(await papersRefusal("\nTitle,Abstract,PaperText\na,b,c\n")).toBe(
      "line 1: there is no column Title; expected Title, Abstract, PaperText",
    );
  });
});
