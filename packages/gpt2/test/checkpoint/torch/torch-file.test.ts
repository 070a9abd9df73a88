import { describe, expect, test } from "vitest";
import { openTorchFile, type TorchFile } from "../../../src/checkpoint/torch/torch-file.ts";
import { ModelFormatError } from "../../../src/errors.ts";
import { fixture } from "./fixtures.ts";
import { type ZipParts, zipArchive } from "./zip-archive.ts";

const openBytes = (bytes: Uint8Array<ArrayBuffer>): Promise<TorchFile> =>
  openTorchFile(new Blob([bytes]), "x.bin", undefined);

async function refusal(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const error = await openBytes(bytes).then(
    () => new Error("it was read"),
    (reason: Error) => reason,
  );
  expect(error).toBeInstanceOf(ModelFormatError);
  return error.message;
}

const ascii = (text: string): Uint8Array => Buffer.from(text, "latin1");

/** What a storage of so many floats is in a pickle. */
const storage = (key: string, size: string, type = "FloatStorage"): string =>
  `(Vstorage\nctorch\n${type}\nV${key}\nVcpu\nI${size}\ntQ`;
/** A tensor, by tuples of integers as they are written. */
const tensor = (storage: string, offset: string, shape: readonly string[], strides: readonly string[]): string =>
  `ctorch._utils\n_rebuild_tensor_v2\n(${storage}I${offset}\n${tuple(shape)}${tuple(strides)}I00\nNtR`;
const tuple = (items: readonly string[]): string => `(${items.map((item) => `I${item}\n`).join("")}t`;
const dict = (items: Record<string, string>): string =>
  `}${Object.entries(items)
    .map(([name, value]) => `V${name}\n${value}s`)
    .join("")}.`;

/** The archive of a pickle whose storages are these. */
function archive(
  pickle: string,
  storages: Record<string, Uint8Array> = {},
  parts: ZipParts = {},
): Uint8Array<ArrayBuffer> {
  const data = Object.entries(storages).map(([key, bytes]) => [`a/data/${key}`, bytes] as const);
  return zipArchive([["a/data.pkl", ascii(pickle)], ["a/byteorder", ascii("little")], ...data], parts);
}

const one = { w: tensor(storage("0", "6"), "0", ["2", "3"], ["3", "1"]) };
const numbers = new Uint8Array(Float32Array.from([1, 2, 3, 4, 5, 6]).buffer);

async function read(
  bytes: Uint8Array<ArrayBuffer>,
  name = "w",
): Promise<{ shape: readonly number[]; values: number[] }> {
  const { tensors } = await openBytes(bytes);
  const { shape, read } = tensors.find((tensor) => tensor.name === name)!;
  const values = new Float32Array(shape.reduce((size, dim) => size * dim, 1));
  await read(new Uint8Array(values.buffer), 0);
  return { shape, values: [...values] };
}

describe("a file of torch.save", () => {
  test("is read in the forms of zip that others write: with and without 64-bit fields, with a comment", async () => {
    for (const parts of [
      {},
      { zip64: true },
      { comment: "written by hand" },
      { zip64: true, comment: "x".repeat(60_000) },
    ]) {
      expect(await read(archive(dict(one), { 0: numbers }, parts))).toEqual({
        shape: [2, 3],
        values: [1, 2, 3, 4, 5, 6],
      });
    }
  });

  test("is read by the strides of its tensors", async () => {
    const s = storage("0", "6");
    const views = {
      transposed: tensor(s, "0", ["3", "2"], ["1", "3"]),
      column: tensor(s, "1", ["2"], ["3"]),
      expanded: tensor(s, "2", ["2", "3"], ["0", "0"]),
      scalar: tensor(s, "5", [], []),
      empty: tensor(s, "0", ["0", "9"], ["9", "1"]),
      ones: tensor(s, "4", ["1", "1", "2"], ["77", "99", "1"]),
    };
    const bytes = archive(dict(views), { 0: numbers });
    expect(await read(bytes, "transposed")).toEqual({ shape: [3, 2], values: [1, 4, 2, 5, 3, 6] });
    expect(await read(bytes, "column")).toEqual({ shape: [2], values: [2, 5] });
    expect(await read(bytes, "expanded")).toEqual({ shape: [2, 3], values: [3, 3, 3, 3, 3, 3] });
    expect(await read(bytes, "scalar")).toEqual({ shape: [], values: [6] });
    expect(await read(bytes, "empty")).toEqual({ shape: [0, 9], values: [] });
    expect(await read(bytes, "ones")).toEqual({ shape: [1, 1, 2], values: [5, 6] });
  });

  test("of Python 2 has a list of pairs", async () => {
    const pickle = `ccollections\nOrderedDict\n((l(S'w'\n${one.w}tatR.`;
    expect(await read(archive(pickle, { 0: numbers }))).toEqual({ shape: [2, 3], values: [1, 2, 3, 4, 5, 6] });
  });

  const big = "9007199254740991";
  test.each([
    [
      "a tensor past the end of its storage",
      tensor(storage("0", "6"), "1", ["2", "3"], ["3", "1"]),
      "whose last element is number 6 of a storage of 6",
    ],
    [
      "a stride that leads outside",
      tensor(storage("0", "6"), "0", ["2", "3"], [big, "1"]),
      "whose last element is number",
    ],
    [
      "more elements than its storage",
      tensor(storage("0", "6"), "0", ["1000000", "1000000"], ["0", "0"]),
      "a tensor of 1000000000000 elements in a storage of 6",
    ],
    [
      "a size past all numbers",
      tensor(storage("0", "6"), "0", Array(60).fill(big), Array(60).fill("0")),
      "a tensor of Infinity elements",
    ],
    ["a negative size", tensor(storage("0", "6"), "0", ["-2"], ["1"]), "a size that is no tuple of integers from 0"],
    [
      "a negative stride",
      tensor(storage("0", "6"), "5", ["2"], ["-1"]),
      "a stride that is no tuple of integers from 0",
    ],
    ["a negative offset", tensor(storage("0", "6"), "-1", ["2"], ["1"]), "whose offset is no integer from 0"],
    [
      "a size that is no exact number",
      tensor(storage("0", "6"), "0", ["9007199254740993"], ["1"]),
      "a size that is no tuple",
    ],
    [
      "fewer strides than sizes",
      tensor(storage("0", "6"), "0", ["2", "3"], ["1"]),
      "a tensor with 2 sizes and 1 strides",
    ],
    [
      "too many dimensions",
      tensor(storage("0", "6"), "0", Array(65).fill("1"), Array(65).fill("1")),
      "a tensor of 65 dimensions",
    ],
    ["a tensor without a storage", tensor("N", "0", ["1"], ["1"]), "a tensor without a storage"],
    [
      "a storage of an unknown type",
      tensor(storage("0", "6", "ComplexFloatStorage"), "0", ["1"], ["1"]),
      "it names torch.ComplexFloatStorage: only tensors and dicts are read",
    ],
    ["a storage that is missing", tensor(storage("1", "6"), "0", ["1"], ["1"]), "the storage data/1 is missing"],
    [
      "a storage of another size",
      tensor(storage("0", "7"), "0", ["1"], ["1"]),
      "the storage data/0 has 24 bytes; expected 28",
    ],
    [
      "a storage of terabytes",
      tensor(storage("0", "999999999999"), "0", ["1"], ["1"]),
      "the storage data/0 has 24 bytes; expected 3999999999996",
    ],
    [
      "a storage of two dtypes",
      `${tensor(storage("0", "6"), "0", ["1"], ["1"])}0${tensor(storage("0", "6", "IntStorage"), "0", ["1"], ["1"])}`,
      'storage "0" is of two dtypes or sizes',
    ],
    [
      "a part of a storage",
      tensor(`(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nI6\n${tuple(["0"])}tQ`, "0", ["1"], ["1"]),
      "a part of a storage",
    ],
    ["a persistent id that is none", tensor("Vstorage\nQ", "0", ["1"], ["1"]), "a persistent id that is no tuple"],
    [
      "a call of what is no function",
      `ctorch\nFloatStorage\n(I3\ntR`,
      "it calls something that is no function of a state dict",
    ],
    ["a call of a dict", "}(tR", "it calls something that is no function of a state dict"],
    ["arguments that are no tuple", "ccollections\nOrderedDict\n]R", "its arguments are not a tuple"],
    [
      "a parameter of nothing",
      "ctorch._utils\n_rebuild_parameter\n(NI00\nNtR",
      "a parameter of something that is no tensor",
    ],
    [
      "an OrderedDict of nothing",
      "ccollections\nOrderedDict\n(I3\ntR",
      "an OrderedDict of something that is no list of pairs",
    ],
    ["the state of a tensor", `${one.w}}b`, "it sets the state of something that is no OrderedDict"],
    ["eval", "c__builtin__\neval\n(V1\ntR", "it names __builtin__.eval: only tensors and dicts are read"],
    ["an instance of a class", "(iposix\nsystem\n", "a state dict has no such thing, and nothing is ever run"],
    ["a set", "\x8f", "a state dict has no such thing"],
  ])("is refused if it has %s", async (_, value, message) => {
    expect(await refusal(archive(dict({ w: value }), { 0: numbers }))).toContain(message);
  });

  test("is refused if it holds little, very often", async () => {
    const names = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`w${i}`, one.w]));
    const large = archive(dict(names), { 0: numbers });
    await openBytes(large); // its pickle is larger than its numbers
    const many = new Uint8Array(2 ** 16);
    const views = Object.fromEntries(
      Array.from({ length: 10 }, (_, i) => [`w${i}`, tensor(storage("0", "16384"), "0", ["16384"], ["1"])]),
    );
    expect(await refusal(archive(dict(views), { 0: many }))).toMatch(
      /its tensors take 655360 bytes, of a file of \d+$/,
    );
  });

  test("is refused if its pickle goes on and on, in bounded memory", async () => {
    const { rss } = process.memoryUsage();
    for (const instruction of ["]", "}", "(", "N", ")"]) {
      expect(await refusal(archive(instruction.repeat(3_000_000)))).toContain("more than 1048576 instructions");
    }
    const doubling = `]${"(22t".repeat(200_000)}.`; // each holds the one before it, twice
    expect(await refusal(archive(doubling))).toMatch(/expected a state dict|it takes/);
    expect(await refusal(archive("N".repeat(2 ** 24 + 1)))).toContain(
      "data.pkl has 16777217 bytes; expected at most 16777216",
    );
    expect(process.memoryUsage().rss - rss).toBeLessThan(1e9);
  });

  test("is refused if it is itself within itself", async () => {
    expect(await refusal(archive("}q\0Vmodel\nh\0s."))).toMatch(/no tensors, alone or under "model"/);
  });
});

describe("a zip archive is refused", () => {
  const sound = () => archive(dict(one), { 0: numbers });

  test.each<[string, ZipParts, string]>([
    ["if its numbers are damaged", { spoil: "a/data/0" }, 'entry "a/data/0" is damaged: its CRC-32 is wrong'],
    ["if its pickle is damaged", { spoil: "a/data.pkl" }, 'entry "a/data.pkl" is damaged: its CRC-32 is wrong'],
    [
      "if what is needed is compressed",
      { method: 8 },
      'entry "a/byteorder" is compressed, which torch.save never does',
    ],
    ["if it is encrypted", { flags: 1 }, "is encrypted"],
    ["if its entries lie over each other", { overlap: true }, "runs into what follows it"],
    [
      "if an entry has another name at its place",
      { otherName: true },
      'entry "a/data.pkl" is "X/data.pkl" at its place',
    ],
    ["if it has an entry twice", { twice: true }, 'it has two entries "a/data.pkl"'],
    ["if it says more entries than it has", { count: 9 }, "its directory lists 3 entries, and says 9"],
    ["if it says millions of entries", { count: 2 ** 40, zip64: true }, "its directory lists 1099511627776 entries"],
  ])("%s", async (_, parts, message) => {
    expect(await refusal(archive(dict(one), { 0: numbers }, parts))).toContain(message);
  });

  test("if it is cut off, or not of torch.save", async () => {
    const bytes = sound();
    expect(await refusal(bytes.slice(0, -1))).toContain("has no directory at its end: is it cut off?");
    expect(await refusal(zipArchive([["word/document.xml", ascii("<x/>")]]))).toContain(
      "a zip archive with no data.pkl",
    );
    const two = zipArchive([
      ["a/data.pkl", ascii("N.")],
      ["b/data.pkl", ascii("N.")],
    ]);
    expect(await refusal(two)).toContain("a zip archive with more than one data.pkl");
  });

  test("if it is of a big-endian machine", async () => {
    const big = zipArchive([
      ["a/data.pkl", ascii(dict(one))],
      ["a/byteorder", ascii("big")],
      ["a/data/0", numbers],
    ]);
    expect(await refusal(big)).toBe('x.bin: its byte order is "big"; only little-endian files are read');
  });
});

describe("a file of the older format is refused", () => {
  test("if it is of a big-endian machine, or another version", async () => {
    const bytes = await fixture("legacy.bin");
    const at = Buffer.from(bytes).indexOf("little_endian") + "little_endian".length;
    const value = bytes.indexOf(0x88, at); // True
    const big = bytes.slice();
    big[value] = 0x89;
    expect(await refusal(big)).toBe("x.bin: it was written on a big-endian machine; only little-endian files are read");
    const version = bytes.slice();
    version[Buffer.from(bytes).indexOf(Buffer.of(0xe9, 0x03))] = 0xea;
    expect(await refusal(version)).toBe("x.bin: version 1002 of torch.save's format; known is 1001");
  });

  test("if it is cut off, or goes on", async () => {
    const bytes = await fixture("legacy.bin");
    expect(await refusal(bytes.slice(0, -1))).toMatch(/it is cut off in the storage \d+$/);
    expect(await refusal(Uint8Array.from([...bytes, 0]))).toBe("x.bin: 1 bytes follow its last storage");
    expect(await refusal(bytes.slice(0, 300))).toMatch(/x\.bin: its pickles: .*are left|ends without STOP/);
  });

  test("unless its pickles are longer than what is read at first", async () => {
    const bytes = await fixture("legacy.bin");
    // A comment of 1.5 MB as the attribute of the dict: it is read, and says nothing.
    const end = Buffer.from(bytes).indexOf(Buffer.from([0x2e, 0x80, 2, 0x5d])); // STOP before the list of keys
    const text = Buffer.alloc(5 + 1_500_000, "x");
    text[0] = 0x58; // BINUNICODE
    text.writeUInt32LE(1_500_000, 1);
    const state = [...Buffer.from("}Va\n"), ...text, ...Buffer.from("sb")];
    const longer = Buffer.concat([bytes.subarray(0, end), Buffer.from(state), bytes.subarray(end)]);
    const { tensors } = await openBytes(new Uint8Array(longer));
    expect(tensors.length).toBe((await openBytes(bytes)).tensors.length);
  });
});
