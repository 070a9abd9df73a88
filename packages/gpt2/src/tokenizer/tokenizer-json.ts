import { showValue } from "@gpt2-ts/tensor/options";
import type { AddedToken } from "./added-token.ts";
import { TokenizerError, type TokenizerErrorDetails } from "./errors.ts";
import { afterSpace, endOfString, endOfValue, scanItems, scanObject, stringAt } from "./json-scan.ts";
import type { MergeTable } from "./merge.ts";
import { addMerge, mergeTable, pairOf } from "./merges.ts";
import type { TokenTable } from "./token-table.ts";
import { parseJson, readIds, type TokenizerParts } from "./vocabulary.ts";
import { mostItems } from "./vocabulary-json.ts";

type Fields = Readonly<Record<string, unknown>>;
type Fail = (part: string, problem: string) => TokenizerError;

/** How GPT-2's pattern is written where it is a part of its own. */
const GPT2_PATTERNS: readonly unknown[] = [
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  String.raw`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
];

/**
 * Reads a tokenizer.json, as Hugging Face `tokenizers` writes it. Offsets are passed over; so are truncation and padding, which files of
 * fine-tunes still have from their training: `transformers` applies them only when it is asked to.
 *
 * @param warn is told of tokens that Hugging Face would add to texts
 * @throws TokenizerError for a tokenizer of another kind than GPT-2's, and for a malformed file; it names the part
 */
export function readTokenizerJson(text: string, file: string, warn: (problem: string) => void): TokenizerParts {
  const fail: Fail = (part, problem) => new TokenizerError(problem, { file, part });
  const { fields, model, vocab, merges } = outlineOf(text, file);
  if (model === undefined) throw fail("model", "expected an object");
  if (vocab === undefined) throw fail("model.vocab", "it is missing");
  if (merges === undefined) throw fail("model.merges", "it is missing");
  expectGpt2s(fields, model, fail);

  if (addsTokens(fields["post_processor"], fail)) warn("the tokens that post_processor adds to texts are not added");

  const ids = readIds(vocab, { file, part: "model.vocab" });
  const unkToken = model["unk_token"] ?? undefined;
  if (unkToken !== undefined && typeof unkToken !== "string") {
    throw fail("model.unk_token", `expected a token, found ${showValue(unkToken)}`);
  }
  return {
    file,
    ids,
    merges: readMerges(merges, ids, file),
    added: readAddedTokens(fields["added_tokens"] ?? [], fail),
    ...preTokenization(fields["pre_tokenizer"], fail),
    ignoreMerges: flag(model, "ignore_merges", "model", false, fail),
    unkToken,
    fuseUnk: flag(model, "fuse_unk", "model", false, fail),
  };
}

/** A tokenizer.json, with the texts of the two long parts left as they are. */
interface Outline {
  readonly fields: Fields;
  readonly model: Fields | undefined;
  readonly vocab: string | undefined;
  readonly merges: string | undefined;
}

function outlineOf(text: string, file: string): Outline {
  const fields = new Map<string, unknown>();
  const model = new Map<string, unknown>();
  let hasModel = false;
  const long: { vocab?: string; merges?: string } = {};
  const value = (into: Map<string, unknown>, key: string, start: number): number | undefined => {
    const end = endOfValue(text, start);
    if (end === undefined) return undefined;
    expectKeysOnce(
      text,
      start,
      (twice) => new TokenizerError(`${showValue(twice)} is there twice`, { file, part: key }),
    );
    into.set(key, JSON.parse(text.slice(start, end)));
    return end;
  };
  const modelMember = (key: string, start: number): number | undefined => {
    if (key !== "vocab" && key !== "merges") return value(model, key, start);
    const end = endOfValue(text, start);
    if (end !== undefined) long[key] = text.slice(start, end);
    return end;
  };
  let end: number | undefined;
  try {
    end = scanObject(text, afterSpace(text, 0), (key, start) => {
      if (key !== "model") return value(fields, key, start);
      hasModel = text[start] === "{";
      return hasModel ? scanObject(text, start, modelMember) : value(fields, key, start);
    });
  } catch (error) {
    if (error instanceof TokenizerError) throw error; // or else of JSON.parse: parsing all of it says what is wrong
  }
  if (end === undefined || afterSpace(text, end) !== text.length) {
    parseJson(text, { file });
    throw new TokenizerError("expected a JSON object", { file });
  }
  return {
    fields: Object.fromEntries(fields),
    model: hasModel ? Object.fromEntries(model) : undefined,
    vocab: long.vocab,
    merges: long.merges,
  };
}

const PARTS = [
  "version",
  "truncation",
  "padding",
  "added_tokens",
  "normalizer",
  "pre_tokenizer",
  "post_processor",
  "decoder",
];

/** Throws what `fail` makes of a key that an object has twice, in the value at `start`, which was found to be nested well. */
function expectKeysOnce(text: string, start: number, fail: (key: string) => TokenizerError): number | undefined {
  const keys = new Set<string>();
  if (text[start] === "[") return scanItems(text, start, "[]", (item) => expectKeysOnce(text, item, fail));
  if (text[start] !== "{") return endOfValue(text, start);
  return scanObject(text, start, (key, value) => {
    if (keys.has(key)) throw fail(key);
    keys.add(key);
    return expectKeysOnce(text, value, fail);
  });
}

/** Throws unless what can only be one way in GPT-2's tokenizer is that way. */
function expectGpt2s(fields: Fields, model: Fields, fail: Fail): void {
  const unknown = Object.keys(fields).find((field) => !PARTS.includes(field));
  if (unknown !== undefined) throw fail(showValue(unknown), "there is no such part of a tokenizer.json");
  const expect = (of: Fields, field: string, path: string, allowed: readonly unknown[]): void => {
    if (allowed.includes(of[field])) return;
    throw fail(`${path}${field}`, `${described(of[field])} is not supported; GPT-2 has ${showValue(allowed.at(-1))}`);
  };
  expect(fields, "version", "", [undefined, "1.0"]);
  expect(fields, "normalizer", "", [undefined, null]);
  for (const part of ["truncation", "padding"]) {
    const value = fields[part] ?? {};
    if (typeof value !== "object") throw fail(part, `expected an object, found ${showValue(value)}`);
  }
  expect(model, "type", "model.", [undefined, "BPE"]);
  expect(model, "dropout", "model.", [undefined, 0, null]);
  expect(model, "continuing_subword_prefix", "model.", [undefined, "", null]);
  expect(model, "end_of_word_suffix", "model.", [undefined, "", null]);
  expect(model, "byte_fallback", "model.", [undefined, null, false]);
  if (fields["decoder"] ?? undefined) byteLevelOf(fields["decoder"], "decoder", fail);
}

/** The settings of a ByteLevel part. Throws for another one. */
function byteLevelOf(value: unknown, path: string, fail: Fail): { addPrefixSpace: boolean; useRegex: boolean } {
  const fields = asFields(value);
  if (fields["type"] !== "ByteLevel") throw fail(path, `${described(value)} is not supported; GPT-2 has "ByteLevel"`);
  flag(fields, "trim_offsets", path, undefined, fail);
  return {
    addPrefixSpace: flag(fields, "add_prefix_space", path, undefined, fail),
    useRegex: flag(fields, "use_regex", path, true, fail),
  };
}

/** What stands for a part in messages: the type that it names. */
function described(value: unknown): string {
  const type = asFields(value)["type"];
  return typeof type === "string" ? showValue(type) : showValue(value);
}

function asFields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function flag(of: Fields, field: string, path: string, fallback: boolean | undefined, fail: Fail): boolean {
  const value = of[field] ?? fallback;
  if (typeof value === "boolean") return value;
  throw fail(`${path}.${field}`, `expected true or false, found ${showValue(value)}`);
}

/** ByteLevel, with GPT-2's pattern in it or as a part of its own before it. */
function preTokenization(value: unknown, fail: Fail): Pick<TokenizerParts, "addPrefixSpace" | "useRegex"> {
  const { type, pretokenizers: parts } = asFields(value) as { type?: unknown; pretokenizers?: unknown };
  if (type !== "Sequence" || !Array.isArray(parts)) return byteLevelOf(value, "pre_tokenizer", fail);
  const byteLevel = byteLevelOf(parts.at(-1), "pre_tokenizer", fail);
  if (parts.length === 1) return byteLevel;
  const split = asFields(parts[0]);
  const { Regex: pattern } = asFields(split["pattern"]);
  const isGpt2s = split["type"] === "Split" && split["behavior"] === "Isolated" && split["invert"] === false;
  const { addPrefixSpace, useRegex } = byteLevel;
  if (!isGpt2s || parts.length > 2 || !GPT2_PATTERNS.includes(pattern) || addPrefixSpace || useRegex) {
    throw fail("pre_tokenizer", "this sequence is not supported; GPT-2 splits by its own pattern, then at bytes");
  }
  return { addPrefixSpace, useRegex: true };
}

/** Whether what is done after encoding adds tokens, such as one that begins every text. */
function addsTokens(processor: unknown, fail: Fail): boolean {
  if ((processor ?? undefined) === undefined) return false;
  const { type, processors, single } = asFields(processor) as {
    type?: unknown;
    processors?: unknown;
    single?: unknown;
  };
  if (type === "Sequence" && Array.isArray(processors)) return processors.some((item) => addsTokens(item, fail));
  if (type === "TemplateProcessing" && Array.isArray(single))
    return single.some((piece) => !asFields(piece)["Sequence"]);
  if (type === "BertProcessing" || type === "RobertaProcessing") return true;
  byteLevelOf(processor, "post_processor", fail);
  return false;
}

function readAddedTokens(value: unknown, fail: Fail): AddedToken[] {
  if (!Array.isArray(value)) throw fail("added_tokens", `expected an array, found ${showValue(value)}`);
  return value.map((item: unknown, i) => {
    const path = `added_tokens[${i}]`;
    const token = asFields(item);
    const { id, content } = token as { id?: unknown; content?: unknown };
    if (typeof content !== "string") throw fail(`${path}.content`, `expected a text, found ${showValue(content)}`);
    if (!Number.isSafeInteger(id) || (id as number) < 0) {
      throw fail(`${path}.id`, `expected a whole number from 0 on, found ${showValue(id)}`);
    }
    const is = (field: string): boolean => flag(token, field, path, undefined, fail);
    return {
      content,
      id: id as number,
      special: is("special"),
      singleWord: is("single_word"),
      lstrip: is("lstrip"),
      rstrip: is("rstrip"),
      normalized: is("normalized"),
    };
  });
}

/** The merges in one of their two forms: `["a b", …]`, as older files have it, or `[["a", "b"], …]`. */
function readMerges(text: string, ids: TokenTable, file: string): MergeTable {
  const first = afterSpace(text, 1);
  const inPairs = text[first] === "[";
  // A pair has a comma inside; in the other form there may be more commas than merges, in tokens.
  const most = text[first] === "]" ? 0 : Math.ceil(mostItems(text) / (inPairs ? 2 : 1));
  const merges = mergeTable(most, { file, part: "model.merges" });
  let count = 0;
  const place = (): TokenizerErrorDetails => ({ file, part: `model.merges[${count}]` });
  const strings: string[] = [];
  const readString = (start: number): number | undefined => {
    const end = endOfString(text, start);
    const string = end === undefined ? undefined : stringAt(text, start, end);
    if (string !== undefined) strings.push(string);
    return string === undefined ? undefined : end;
  };
  const end = scanItems(text, 0, "[]", (start) => {
    strings.length = 0;
    const end = inPairs ? scanItems(text, start, "[]", readString) : readString(start);
    const [left, right, ...more] = inPairs || end === undefined ? strings : pairIn(strings[0]!, place);
    if (end === undefined || left === undefined || more.length > 0) return undefined;
    if (right !== undefined) addMerge(merges, ids, [left, right], place);
    else if (inPairs) return undefined;
    count++;
    return end;
  });
  if (end !== text.length) {
    parseJson(text, { file, part: "model.merges" });
    throw new TokenizerError(`expected ${inPairs ? '["a", "b"], as the others' : '"a b"'}`, place());
  }
  return merges;
}

/** `"a b"` as a pair; empty for a `#version` line, which some files have taken over from merges.txt. */
function pairIn(text: string, place: () => TokenizerErrorDetails): [string, string] | [string] {
  return text.startsWith("#version") ? [text] : pairOf(text, place);
}
