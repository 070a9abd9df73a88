import { bytesToSymbols, symbolsToBytes } from "./byte-symbols.ts";
import { TokenizerError } from "./errors.ts";
import { MAX_MERGES, MergeTable } from "./merge.ts";
import { TokenTable } from "./token-table.ts";
import { encodeUtf8 } from "./utf8.ts";
import { mostTokens, scanVocabulary } from "./vocabulary-json.ts";

/** A checked vocabulary: every byte has a token, ids are 0 … size-1, merges are between existing tokens. */
export interface Vocabulary {
  /** Token → id of the special tokens, written as they are. */
  readonly specialTokens: ReadonlyMap<string, number>;
  /** How many tokens there are. */
  readonly size: number;
  /** The token of an id; undefined for anything else. */
  tokenOf(id: number): string | undefined;
  /** Each byte's id. */
  readonly idOfByte: Int32Array;
  readonly merges: MergeTable;
}

/** How errors name the two files. */
export interface FileNames {
  vocab: string;
  merges: string;
}

export const END_OF_TEXT = "<|endoftext|>";

const NONE = -1;

/**
 * Checks the contents of vocab.json and merges.txt against each other.
 * @throws TokenizerError naming the file, and the line or the token
 */
export function readVocabulary(
  vocab: string | Readonly<Record<string, number>>,
  merges: string,
  added: Readonly<Record<string, number>>,
  files: FileNames,
): Vocabulary {
  const ids = readIds(vocab, Object.keys(added), files.vocab);
  const specialTokens = readSpecialTokens(added, ids);
  for (const [token, id] of specialTokens) ids.set(token, id);
  const numbers = numbersById(ids, files.vocab);
  return {
    size: ids.size,
    tokenOf(id) {
      const number = numbers[id];
      return number === undefined ? undefined : ids.textAt(number);
    },
    specialTokens,
    idOfByte: Int32Array.from({ length: 256 }, (_, byte) => idOfByte(byte, ids, files.vocab)),
    merges: readMerges(merges, ids, specialTokens, files.merges),
  };
}

/** The ids of vocab.json, with room for the tokens of `added`. */
function readIds(vocab: string | Readonly<Record<string, number>>, added: readonly string[], file: string): TokenTable {
  if (typeof vocab === "string") {
    const ids = new TokenTable(mostTokens(vocab) + added.length, vocab.length + lengthOfAll(added));
    if (scanVocabulary(vocab, ids)) return ids;
  }
  const json = typeof vocab === "string" ? parseJson(vocab, file) : vocab;
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TokenizerError("expected a JSON object of tokens and their ids", { file });
  }
  // Own keys only, because a token can be anything, such as "__proto__" or "constructor".
  const tokens = Object.keys(json);
  const ids = new TokenTable(tokens.length + added.length, lengthOfAll(tokens) + lengthOfAll(added));
  for (const token of tokens) ids.set(token, checkedId(token, (json as Record<string, unknown>)[token], file));
  return ids;
}

function lengthOfAll(texts: readonly string[]): number {
  return texts.reduce((sum, { length }) => sum + length, 0);
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TokenizerError(`not valid JSON: ${cause instanceof Error ? cause.message : cause}`, { file });
  }
}

function checkedId(token: string, id: unknown, file: string): number {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0) return id;
  const problem = `the id of ${JSON.stringify(token)} is ${JSON.stringify(id)}, not a whole number from 0 on`;
  throw new TokenizerError(problem, { file, token });
}

/** The tokens given as special, and `<|endoftext|>` where the vocabulary has it. */
function readSpecialTokens(added: Readonly<Record<string, number>>, ids: TokenTable): ReadonlyMap<string, number> {
  const special = new Map<string, number>();
  const endOfText = ids.idOf(END_OF_TEXT);
  if (endOfText !== undefined) special.set(END_OF_TEXT, endOfText);
  for (const [token, id] of Object.entries(added)) {
    if (token === "") throw new TokenizerError("a special token is empty", { token });
    if (symbolsToBytes(token)?.length === 1) {
      throw new TokenizerError(`special token ${JSON.stringify(token)} is a byte's symbol`, { token });
    }
    const known = ids.idOf(token);
    if (known !== undefined && known !== id) {
      const problem = `special token ${JSON.stringify(token)}: id ${id}, but ${known} in the vocabulary`;
      throw new TokenizerError(problem, { token, id });
    }
    special.set(token, checkedId(token, id, "specialTokens"));
  }
  return special;
}

/** For each id the number of its token. */
function numbersById(ids: TokenTable, file: string): Int32Array {
  const numbers = new Int32Array(ids.size).fill(NONE);
  for (let number = 0; number < ids.size; number++) {
    const id = ids.idAt(number);
    if (id >= ids.size) {
      const token = ids.textAt(number);
      const problem = `${JSON.stringify(token)} has id ${id}, but with ${ids.size} tokens ids must be 0 to ${ids.size - 1}`;
      throw new TokenizerError(`${problem} (a token is missing or written twice)`, { file, token, id });
    }
    const earlier = numbers[id]!;
    if (earlier !== NONE) {
      const [first, token] = [ids.textAt(earlier), ids.textAt(number)];
      const problem = `${JSON.stringify(first)} and ${JSON.stringify(token)} both have id ${id}`;
      throw new TokenizerError(problem, { file, token, id });
    }
    numbers[id] = number;
  }
  return numbers; // ids.size different ids below ids.size: none is missing
}

/** A token's bytes. One that is not written in byte symbols (usually an added token) stands for its own text. */
export function tokenBytes(token: string, isSpecial: boolean): Uint8Array {
  const bytes = isSpecial ? undefined : symbolsToBytes(token);
  return bytes === undefined ? encodeUtf8(token) : Uint8Array.from(bytes);
}

function idOfByte(byte: number, ids: TokenTable, file: string): number {
  const symbol = bytesToSymbols([byte]);
  const id = ids.idOf(symbol);
  if (id !== undefined) return id;
  const problem = `no token for byte ${byte}, ${JSON.stringify(symbol)}: not every text could be encoded`;
  throw new TokenizerError(problem, { file, token: symbol });
}

/** merges.txt: a `#version` line, then a pair of tokens on each line, in the order in which they merge. */
function readMerges(
  text: string,
  ids: TokenTable,
  specialTokens: ReadonlyMap<string, number>,
  file: string,
): MergeTable {
  const idOf = (token: string, role: string, line: number): number => {
    const id = ids.idOf(token);
    if (id !== undefined && !specialTokens.has(token)) return id;
    const problem = id === undefined ? "is not in the vocabulary" : "is a special token";
    throw new TokenizerError(`the merge's ${role} ${JSON.stringify(token)} ${problem}`, { file, line, token });
  };

  const end = endOfLastLine(text);
  const firstLine = text.startsWith("#version") ? 1 : 0;
  const count = countLines(text, end) - firstLine;
  if (count > MAX_MERGES) {
    throw new TokenizerError(`more than ${MAX_MERGES} merges`, { file, line: firstLine + MAX_MERGES + 1 });
  }
  const merges = new MergeTable(count);
  // Line by line, because splitting would make tens of thousands of strings.
  let start = firstLine === 0 ? 0 : endOfLine(text, 0, end) + 1;
  for (let rank = 0; rank < count; rank++) {
    const next = endOfLine(text, start, end);
    const pair = text.slice(start, text[next - 1] === "\r" ? next - 1 : next);
    start = next + 1;
    const line = firstLine + rank + 1;
    const space = pair.indexOf(" ");
    if (space <= 0 || space === pair.length - 1 || pair.includes(" ", space + 1)) {
      const problem = `expected two tokens with a space between, found ${JSON.stringify(pair)}`;
      throw new TokenizerError(problem, { file, line });
    }
    const left = pair.slice(0, space);
    const right = pair.slice(space + 1);
    const added = merges.add({
      left: idOf(left, "left part", line),
      right: idOf(right, "right part", line),
      result: idOf(left + right, "result", line),
    });
    if (added === rank) continue;
    const problem = `${JSON.stringify(pair)} is already on line ${firstLine + added + 1}`;
    throw new TokenizerError(problem, { file, line });
  }
  return merges;
}

/** Where the last line that is not empty ends. */
function endOfLastLine(text: string): number {
  let end = text.length;
  while (end > 0 && (text[end - 1] === "\n" || text[end - 1] === "\r")) end--;
  return end;
}

/** Where the line that begins at `start` ends, in a text that ends at `end`. */
function endOfLine(text: string, start: number, end: number): number {
  const at = text.indexOf("\n", start);
  return at < 0 || at > end ? end : at;
}

function countLines(text: string, end: number): number {
  if (end === 0) return 0;
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}
