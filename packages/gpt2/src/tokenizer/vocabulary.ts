import { showValue } from "@gpt2-ts/tensor/options";
import type { AddedToken } from "./added-token.ts";
import { symbolsToBytes } from "./byte-symbols.ts";
import { TokenizerError, type TokenizerErrorDetails } from "./errors.ts";
import { endOfValue } from "./json-scan.ts";
import type { MergeTable } from "./merge.ts";
import { readMergesFile } from "./merges.ts";
import { TokenTable } from "./token-table.ts";
import { encodeUtf8 } from "./utf8.ts";
import { mostItems, scanVocabulary } from "./vocabulary-json.ts";

/** What a tokenizer is made from, whatever files it came from. */
export interface TokenizerParts {
  /** The file of the vocabulary, for messages. */
  readonly file: string;
  readonly ids: TokenTable;
  readonly merges: MergeTable;
  readonly added: readonly AddedToken[];
  /** Whether a text that does not begin with a space gets one; also what follows an added token. */
  readonly addPrefixSpace: boolean;
  /** Whether texts are split into words by GPT-2's pattern. */
  readonly useRegex: boolean;
  /** Whether a word that is a token is that token, whatever merges make of it. */
  readonly ignoreMerges: boolean;
  /** What stands for bytes without a token; if undefined, they are dropped. */
  readonly unkToken: string | undefined;
  /** Whether one such token stands for several of those bytes in a row. */
  readonly fuseUnk: boolean;
}

export const END_OF_TEXT = "<|endoftext|>";

/** More than any id: ids index arrays. */
const IDS = 2 ** 22;

const NONE = -1;

/**
 * The contents of vocab.json and merges.txt, checked against each other.
 * @throws TokenizerError naming the file, and the line or the token
 */
export function readVocabFiles(
  vocab: string | Readonly<Record<string, number>>,
  merges: string,
  files: { readonly vocab: string; readonly merges: string },
): Pick<TokenizerParts, "file" | "ids" | "merges"> {
  const ids = readIds(vocab, { file: files.vocab });
  const table = readMergesFile(merges, ids, files.merges);
  if (table.size === 0) expectNoMerges(ids, files.merges);
  return { file: files.vocab, ids, merges: table };
}

/** A file that lost its lines would make every text a sequence of bytes, without an error. */
function expectNoMerges(ids: TokenTable, file: string): void {
  let longer = 0;
  for (let number = 0; number < ids.size; number++) {
    if ((symbolsToBytes(ids.textAt(number))?.length ?? 0) > 1) longer++;
  }
  if (longer * 2 <= ids.size) return;
  throw new TokenizerError(`there are no merges, but ${longer} of ${ids.size} tokens have several bytes`, { file });
}

/** The ids of vocab.json, or of the part of tokenizer.json that is written like it. */
export function readIds(vocab: unknown, place: TokenizerErrorDetails): TokenTable {
  if (typeof vocab !== "string") return idsOf(vocab, place);
  const ids = new TokenTable(mostItems(vocab), vocab.length);
  if (scanVocabulary(vocab, ids)) return ids;
  idsOf(parseJson(vocab, place), place); // says what is wrong, unless it is how an id is written: 1e3, say
  throw new TokenizerError("an id is not written as a whole number", place);
}

function idsOf(json: unknown, place: TokenizerErrorDetails): TokenTable {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TokenizerError("expected a JSON object of tokens and their ids", place);
  }
  // Own keys only, because a token can be anything, such as "__proto__" or "constructor".
  const tokens = Object.keys(json);
  const ids = new TokenTable(
    tokens.length,
    tokens.reduce((sum, { length }) => sum + length, 0),
  );
  for (const token of tokens) ids.set(token, checkedId(token, (json as Record<string, unknown>)[token], place));
  return ids;
}

/** Throws a {@link TokenizerError} for what is not JSON. */
export function parseJson(text: string, place: TokenizerErrorDetails): unknown {
  // V8 takes 50 bytes for each bracket that is open; no tokenizer needs many.
  if (endOfValue(text, 0) === undefined)
    throw new TokenizerError("not valid JSON: it is cut off, or nested too deep", place);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TokenizerError(`not valid JSON: ${cause instanceof Error ? cause.message : cause}`, place);
  }
}

function checkedId(token: string, id: unknown, place: TokenizerErrorDetails): number {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0) return id;
  const problem = `the id of ${showValue(token)} is ${showValue(id)}, not a whole number from 0 on`;
  throw new TokenizerError(problem, { ...place, token });
}

/** For each id the number of its token, or -1. Ids may have gaps. */
export function numbersById(ids: TokenTable, file: string): Int32Array {
  let size = 0;
  for (let number = 0; number < ids.size; number++) {
    const id = ids.idAt(number);
    if (id >= IDS) {
      const token = ids.textAt(number);
      throw new TokenizerError(`the id of ${showValue(token)} is ${id}: ids end at ${IDS - 1}`, { file, token, id });
    }
    if (id >= size) size = id + 1;
  }
  const numbers = new Int32Array(size).fill(NONE);
  for (let number = 0; number < ids.size; number++) {
    const id = ids.idAt(number);
    const earlier = numbers[id]!;
    if (earlier !== NONE) {
      const [first, token] = [ids.textAt(earlier), ids.textAt(number)];
      throw new TokenizerError(`${showValue(first)} and ${showValue(token)} both have id ${id}`, { file, token, id });
    }
    numbers[id] = number;
  }
  return numbers;
}

/** A token's bytes. One that is not written in byte symbols (usually an added token) stands for its own text. */
export function tokenBytes(token: string): Uint8Array {
  const bytes = symbolsToBytes(token);
  return bytes === undefined ? encodeUtf8(token) : Uint8Array.from(bytes);
}
