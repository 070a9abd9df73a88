import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadTokenizer } from "../../src/checkpoint/load-tokenizer.ts";
import { modelSource } from "../../src/checkpoint/source/index.ts";
import { TokenizerError } from "../../src/tokenizer/errors.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";

type Json = Readonly<Record<string, unknown>>;

interface Fixtures {
  readonly texts: readonly string[];
  readonly cases: readonly {
    readonly name: string;
    readonly files: Readonly<Record<string, Json>>;
    readonly added: Readonly<Record<string, string>>;
    readonly special: readonly number[];
    readonly endOfText: number;
    readonly startOfText: number;
    readonly ids: readonly (readonly number[])[];
  }[];
}

const read = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

// Made by oracle/make_tokenizer_settings.py with Hugging Face's transformers.
const { texts, cases }: Fixtures = read("fixtures/tokenizer-settings.json");
const { base } = read("../tokenizer/fixtures/tokenizer-json.json");
const { vocab, merges }: { vocab: Json; merges: [string, string][] } = base.model;
const mergesText = merges.map((pair) => pair.join(" ")).join("\n");

/** The tokenizer of these files, beside the vocabulary in a form that fits. */
async function load(files: Readonly<Record<string, unknown>>): Promise<{ tokenizer: Tokenizer; warnings: string[] }> {
  const { "tokenizer.json": json, ...others } = files;
  const whole: Record<string, unknown> =
    json === undefined
      ? { ...others, "vocab.json": vocab, "merges.txt": mergesText }
      : { ...others, "tokenizer.json": { ...base, ...(json as Json) }, "vocab.json": { "!": 0 }, "merges.txt": "" };
  const blobs = Object.entries(whole).map(([name, content]) => {
    return [name, new Blob([typeof content === "string" ? content : JSON.stringify(content)])] as const;
  });
  const warnings: string[] = [];
  const onWarning = (warning: string) => warnings.push(warning);
  return { tokenizer: await loadTokenizer(await modelSource(Object.fromEntries(blobs)), { onWarning }), warnings };
}

describe("loadTokenizer", () => {
  it.each(cases)("reads what transformers reads: $name", async (expected) => {
    const { tokenizer, warnings } = await load(expected.files);
    expect(Object.fromEntries(tokenizer.addedTokens.map(({ id, content }) => [String(id), content]))).toEqual(
      expected.added,
    );
    expect([...tokenizer.specialTokens.values()].sort((a, b) => a - b)).toEqual(expected.special);
    expect(texts.map((text) => tokenizer.encode(text, { allowedSpecial: "all" }))).toEqual(expected.ids);
    expect([tokenizer.endOfText, tokenizer.startOfText]).toEqual([expected.endOfText, expected.startOfText]);
    if (!expected.name.includes("gap")) expect(warnings).toEqual([]);
  });

  it("tells of an added token whose file states another id than the one that follows the vocabulary", async () => {
    const { warnings } = await load({ "added_tokens.json": { "<pad>": 700 } });
    expect(warnings).toEqual(['vocab.json: the added token "<pad>" has id 601, as in tokenizers, not 700']);
  });

  it.each<[string, Json, Partial<TokenizerError>]>([
    [
      "text that is no JSON",
      { "tokenizer_config.json": "{" },
      { file: "tokenizer_config.json", message: "not valid JSON" },
    ],
    [
      "a list",
      { "added_tokens.json": [1] },
      { file: "added_tokens.json", message: "expected a JSON object, found [1]" },
    ],
    ["an id that is text", { "added_tokens.json": { a: "1" } }, { file: "added_tokens.json", part: '"a"' }],
    [
      "an added token without content",
      { "tokenizer_config.json": { added_tokens_decoder: { "7": {} } } },
      { part: "added_tokens_decoder.7.content", message: "expected a text, found undefined" },
    ],
    [
      "an id that is no number",
      { "tokenizer_config.json": { added_tokens_decoder: { x: "a" } } },
      { part: "added_tokens_decoder.x" },
    ],
    [
      "a flag that is none",
      { "special_tokens_map.json": { pad_token: { content: "<p>", lstrip: 1 } } },
      { file: "special_tokens_map.json", part: "pad_token.lstrip", message: "expected true or false, found 1" },
    ],
    ["a space that is no flag", { "tokenizer_config.json": { add_prefix_space: "yes" } }, { part: "add_prefix_space" }],
  ])("refuses %s", async (_, files, { message = "", ...fields }) => {
    const error = await load(files).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(TokenizerError);
    expect(error).toMatchObject(fields);
    expect((error as Error).message).toContain(message);
  });

  it("reads a tokenizer_config.json as Python writes it", async () => {
    const config = '{"model_max_length": Infinity, "pad_token": "<pad>"}';
    expect((await load({ "tokenizer_config.json": config })).tokenizer.specialTokens.get("<pad>")).toBe(601);
  });

  it("names vocab.json if there is no tokenizer at all", async () => {
    await expect(
      modelSource({ "config.json": new Blob(["{}"]) }).then((source) => loadTokenizer(source)),
    ).rejects.toThrow("vocab.json: there is no such file");
  });
});
