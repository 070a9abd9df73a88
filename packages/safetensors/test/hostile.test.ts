import { parse, type SafetensorsErrorCode, serialize } from "safetensors-ts";
import { describe, expect, test } from "vitest";
import { errorOf } from "./support/error.ts";
import { fileOf } from "./support/files.ts";

/** Big enough that anything quadratic would take hours, and anything recursive would show. */
const SIZE = 8_000_000;
const entry = (more: string) => `{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]${more}}}`;

describe("a huge hostile header", () => {
  test.each<[string, SafetensorsErrorCode, string]>([
    ["open brackets", "header-not-object", "[".repeat(SIZE)],
    ["open brackets in a field", "header-not-json", entry(`,"x":${"[".repeat(SIZE)}`)],
    ["nested objects", "header-not-json", entry(`,"x":${'{"y":'.repeat(SIZE / 5)}`)],
    ["nested tensors", "header-not-json", '{"a":'.repeat(SIZE / 5)],
    ["an integer of many digits", "header-not-json", entry(`,"x":${"9".repeat(SIZE)}`)],
    ["a dimension of many digits", "header-not-json", `{"a":{"shape":[${"9".repeat(SIZE)}]}}`],
    ["an unfinished string", "header-not-json", `{"${"x".repeat(SIZE)}`],
    ["an unfinished string of escapes", "header-not-json", `{"${"\\n".repeat(SIZE / 2)}`],
    ["a string that ends in a backslash", "header-not-json", `{"${"\\\\".repeat(SIZE / 2)}\\`],
    ["white space only", "header-not-json", " ".repeat(SIZE)],
    [
      "many dimensions that overflow",
      "shape-overflow",
      `{"a":{"dtype":"U8","shape":[${"2,".repeat(SIZE / 2)}2],"data_offsets":[0,0]}}`,
    ],
    ["one name many times", "duplicate-key", `{${`${entry("").slice(1, -1)},`.repeat(SIZE / 60)}${entry("").slice(1)}`],
  ])("of %s fails in linear time, with our error and a short message", async (_, code, header) => {
    const bytes = fileOf(header);
    const error = await errorOf(() => parse(bytes));
    expect(error.code).toBe(code);
    expect(error.message.length).toBeLessThan(1000);
  });

  test("of millions of fields that mean nothing, tensors or metadata is read in linear time", () => {
    const keys = (value: string, count: number): string =>
      Array.from({ length: count }, (_, i) => `"${i.toString(36)}":${value}`).join(",");
    expect(parse(fileOf(entry(`,${keys("0", SIZE / 4)}`))).names).toEqual(["a"]);
    expect(parse(fileOf(`{${keys(entry("").slice(5, -1), SIZE / 40)}}`)).names.length).toBe(SIZE / 40);
    const { metadata } = parse(fileOf(`{"__metadata__":{${keys('""', SIZE / 16)}}}`));
    expect(metadata?.["0"]).toBe("");
    const flat = `{"a":{"dtype":"U8","shape":[${"1,".repeat(SIZE / 2)}0],"data_offsets":[0,0]}}`;
    expect(parse(fileOf(flat)).info("a")).toMatchObject({ size: 0 });
  });

  test("of what is allowed is read", () => {
    const name = "n".repeat(SIZE);
    const bytes = fileOf(`{"${name}":${entry(`,"x":[${"0,".repeat(100_000)}{}]`).slice(5, -1)}}`);
    const file = parse(bytes);
    expect(file.names[0]?.length).toBe(SIZE);
    const escaped = parse(fileOf(`{"__metadata__":{"k":"${"\\n".repeat(SIZE / 2)}"}}`));
    expect(escaped.metadata?.["k"]?.length).toBe(SIZE / 2);
    const many = Array.from({ length: 50_000 }, (_, i) => `"${i}":${entry("").slice(5, -1)}`);
    expect(parse(fileOf(`{${many.join(",")}}`)).names.length).toBe(50_000);
  });
});

describe("a name that writes to a terminal", () => {
  const name = "a\u001b[31m\u007f\u009b2J\u202e\u2028\ufeff\u{e0001}b";
  const shown = String.raw`"a\u001b[31m\u007f\u009b2J\u202e\u2028\ufeff\udb40\udc01b"`;
  const info = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}';
  const key = JSON.stringify(name);

  test.each<[string, () => unknown]>([
    ["a tensor", () => parse(fileOf(`{${key}:{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}`))],
    ["a tensor that is asked for", () => parse(fileOf(`{"a":${info}}`)).read(name)],
    ["a dtype", () => parse(fileOf(`{"a":{"dtype":${key},"shape":[0],"data_offsets":[0,0]}}`))],
    ["a key that appears twice", () => parse(fileOf(`{${key}:${info},${key}:${info}}`))],
    ["a key of the metadata", () => parse(fileOf(`{"__metadata__":{${key}:1}}`))],
    [
      "a dtype that is to be written",
      () => serialize({ a: { dtype: name as "U8", shape: [0], data: new Uint8Array() } }),
    ],
  ])("shows in messages as escapes: of %s", async (_, attempt) => {
    const { message } = await errorOf(async () => attempt());
    expect(message).toContain(shown);
  });
});
