import { readdirSync, readFileSync } from "node:fs";
import {
  type Dtype,
  open,
  parse,
  type SafetensorsErrorCode,
  serialize,
  serializeLazily,
  type TensorInput,
} from "safetensors-ts";
import { describe, expect, test } from "vitest";
import { errorOf } from "./support/error.ts";
import { toHex } from "./support/files.ts";

interface Case {
  readonly tensors: readonly {
    readonly name: string;
    readonly dtype: Dtype;
    readonly shape: number[];
    readonly data: string;
  }[];
  readonly metadata: readonly (readonly [string, string])[] | null;
}

const fixtures = new URL("fixtures/", import.meta.url);
const cases: Readonly<Record<string, Case>> = JSON.parse(readFileSync(new URL("written.json", fixtures), "utf8"));

function inputs({ tensors, metadata }: Case) {
  const byName = new Map(
    tensors.map(({ name, dtype, shape, data }) => [name, { dtype, shape, data: Buffer.from(data, "hex") }]),
  );
  return [byName, metadata === null ? undefined : Object.fromEntries(metadata)] as const;
}

describe("files written by the official Python package", () => {
  test("all have a description", () => {
    const files = readdirSync(new URL("written/", fixtures));
    expect(files.toSorted()).toEqual(
      Object.keys(cases)
        .map((name) => `${name}.safetensors`)
        .toSorted(),
    );
  });

  test.each(Object.entries(cases))(
    "%s: the same tensors and metadata serialize to the same bytes",
    (name, description) => {
      const official = readFileSync(new URL(`written/${name}.safetensors`, fixtures));
      expect(toHex(serialize(...inputs(description)))).toBe(official.toString("hex"));
    },
  );

  test.each(Object.entries(cases))("%s: is read as it was written", async (name, { tensors, metadata }) => {
    await using file = await open(new URL(`written/${name}.safetensors`, fixtures));
    expect(file.names.toSorted()).toEqual(tensors.map((tensor) => tensor.name).toSorted());
    expect(file.metadata === undefined ? null : Object.entries(file.metadata).toSorted()).toEqual(
      metadata?.toSorted() ?? null,
    );
    for (const { name, dtype, shape, data } of tensors) {
      const read = await file.read(name);
      expect([read.dtype, read.shape, toHex(read.data)]).toEqual([dtype, shape, data]);
    }
  });
});

describe("serialize", () => {
  const one: TensorInput = { dtype: "F32", shape: [1], data: Float32Array.of(1) };

  test("writes empty metadata without tensors as valid JSON, which the official package does not", () => {
    const text = Buffer.from(serialize({}, {})).subarray(8).toString();
    expect(text).toBe('{"__metadata__":{}}     ');
    expect(parse(serialize({}, {})).metadata).toEqual({});
  });

  test("takes buffers, views with an offset, DataViews, shared memory and the arrays that read gives", async () => {
    const bytes = Uint8Array.of(9, 0, 0, 128, 63, 9);
    const shared = new Uint8Array(new SharedArrayBuffer(4));
    shared.set(bytes.subarray(1, 5));
    const expected = serialize({ one });
    for (const data of [
      bytes.slice(1, 5).buffer,
      bytes.subarray(1, 5),
      new DataView(bytes.buffer, 1, 4),
      shared,
      shared.buffer,
      (await parse(expected).read("one")).data,
    ]) {
      expect(serialize({ one: { ...one, data } })).toEqual(expected);
    }
  });

  test.each(Object.keys(cases))("comes in pieces too, each made when it is its turn: %s", async (name) => {
    const [tensors, metadata] = inputs(cases[name]!);
    const made: string[] = [];
    const lazy = [...tensors].map(([tensor, { data, ...rest }]) => {
      const make = async () => {
        made.push(tensor);
        return data;
      };
      return [tensor, { ...rest, data: make }] as const;
    });
    const { size, pieces } = serializeLazily(new Map(lazy), metadata);
    expect(made).toEqual([]);
    const found: Uint8Array[] = [];
    for await (const piece of pieces) {
      expect(made.length).toBe(found.length);
      found.push(piece);
    }
    expect(Buffer.concat(found)).toEqual(Buffer.from(serialize(tensors, metadata)));
    expect(size).toBe(Buffer.concat(found).length);
  });

  test("orders names by code point, where UTF-16 order differs", () => {
    const tensors = Object.fromEntries(["\u{1f600}b", "\uffee", "\u{1f600}a", "a"].map((name) => [name, one]));
    expect(parse(serialize(tensors)).names).toEqual(["a", "\uffee", "\u{1f600}a", "\u{1f600}b"]);
  });

  test.each<[string, SafetensorsErrorCode, Record<string, TensorInput>, Record<string, string>?]>([
    ["a reserved name", "invalid-name", { __metadata__: one }],
    ["half a surrogate pair in a name", "invalid-name", { "\ud800": one }],
    ["too little data", "size-mismatch", { a: { ...one, shape: [2] } }],
    ["too much data", "size-mismatch", { a: { ...one, shape: [], data: new Uint8Array(5) } }],
    ["a negative dimension", "invalid-tensor", { a: { ...one, shape: [-1] } }],
    ["a fractional dimension", "invalid-tensor", { a: { ...one, shape: [0.5, 2] } }],
    ["a shape past 64 bits", "shape-overflow", { a: { ...one, shape: [2 ** 40, 2 ** 40] } }],
    ["half a byte", "misaligned", { a: { dtype: "F4", shape: [3], data: new Uint8Array(2) } }],
    ["an array of another type", "invalid-tensor", { a: { ...one, data: Int32Array.of(1) } }],
    ["an unknown dtype", "invalid-tensor", { a: { ...one, dtype: "F33" as Dtype } }],
    ["no data", "invalid-tensor", { a: { ...one, data: null as unknown as Uint8Array } }],
    ["metadata that is not text", "invalid-metadata", {}, { a: 1 as unknown as string }],
    ["metadata with half a surrogate pair", "invalid-metadata", {}, { a: "\udc00" }],
  ])("rejects %s", async (_, code, tensors, metadata) => {
    const error = await errorOf(() => serialize(tensors, metadata));
    expect(error.code).toBe(code);
    expect(error.tensor).toBe(Object.keys(tensors)[0]);
  });

  test("rejects a header over 100 MB", async () => {
    const error = await errorOf(() => serialize({}, { a: "x".repeat(100_000_000) }));
    expect(error.code).toBe("header-too-large");
  });
});
