import { bytesToSymbols, symbolsToBytes } from "./byte-symbols.ts";
import { TokenizerError } from "./errors.ts";
import { MAX_MERGES, type Merge, MergeTable } from "./merge.ts";
import { encodeUtf8 } from "./utf8.ts";

/** A checked vocabulary: every byte has a token, ids are 0 … size-1, every merge is between tokens that exist. */
export interface Vocabulary {
  /** Token → id of the special tokens, written as they are. */
  readonly specialTokens: ReadonlyMap<string, number>;
  /** By id. */
  readonly tokens: readonly string[];
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
  const ids = readIds(vocab, files.vocab);
  const specialTokens = readSpecialTokens(added, ids);
  for (const [token, id] of specialTokens) ids.set(token, id);
  const tokens = denseTokens(ids, files.vocab);
  return {
    tokens,
    specialTokens,
    idOfByte: Int32Array.from({ length: 256 }, (_, byte) => idOfByte(byte, ids, files.vocab)),
    merges: readMerges(merges, ids, specialTokens, files.merges),
  };
}

function readIds(vocab: string | Readonly<Record<string, number>>, file: string): Map<string, number> {
  const json = typeof vocab === "string" ? parseJson(vocab, file) : vocab;
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TokenizerError("expected a JSON object of tokens and their ids", { file });
  }
  // Own keys and a Map, because tokens are anything: "__proto__" and "constructor" too.
  const ids = new Map<string, number>();
  for (const [token, id] of Object.entries(json)) ids.set(token, checkedId(token, id, file));
  return ids;
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
function readSpecialTokens(
  added: Readonly<Record<string, number>>,
  ids: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const special = new Map<string, number>();
  const endOfText = ids.get(END_OF_TEXT);
  if (endOfText !== undefined) special.set(END_OF_TEXT, endOfText);
  for (const [token, id] of Object.entries(added)) {
    if (token === "") throw new TokenizerError("a special token is empty", { token });
    if (symbolsToBytes(token)?.length === 1) {
      throw new TokenizerError(`special token ${JSON.stringify(token)} is a byte's symbol`, { token });
    }
    const known = ids.get(token);
    if (known !== undefined && known !== id) {
      const problem = `special token ${JSON.stringify(token)}: id ${id}, but ${known} in the vocabulary`;
      throw new TokenizerError(problem, { token, id });
    }
    special.set(token, checkedId(token, id, "specialTokens"));
  }
  return special;
}

/** The tokens by id. */
function denseTokens(ids: ReadonlyMap<string, number>, file: string): string[] {
  const tokens = new Array<string | undefined>(ids.size);
  for (const [token, id] of ids) {
    if (id >= ids.size) {
      const problem = `${JSON.stringify(token)} has id ${id}, but with ${ids.size} tokens ids must be 0 to ${ids.size - 1}`;
      throw new TokenizerError(`${problem} (a token is missing or written twice)`, { file, token, id });
    }
    if (tokens[id] !== undefined) {
      const problem = `${JSON.stringify(tokens[id])} and ${JSON.stringify(token)} both have id ${id}`;
      throw new TokenizerError(problem, { file, token, id });
    }
    tokens[id] = token;
  }
  return tokens as string[]; // as many different ids below ids.size as tokens: none is missing
}

/** A token's bytes. One that is not written in byte symbols (an added one, as a rule) stands for its own text. */
export function tokenBytes(token: string, isSpecial: boolean): Uint8Array {
  const bytes = isSpecial ? undefined : symbolsToBytes(token);
  return bytes === undefined ? encodeUtf8(token) : Uint8Array.from(bytes);
}

function idOfByte(byte: number, ids: ReadonlyMap<string, number>, file: string): number {
  const symbol = bytesToSymbols([byte]);
  const id = ids.get(symbol);
  if (id !== undefined) return id;
  const problem = `no token for byte ${byte}, ${JSON.stringify(symbol)}: not every text could be encoded`;
  throw new TokenizerError(problem, { file, token: symbol });
}

/** merges.txt: a `#version` line, then a pair of tokens on each line, in the order in which they merge. */
function readMerges(
  text: string,
  ids: ReadonlyMap<string, number>,
  specialTokens: ReadonlyMap<string, number>,
  file: string,
): MergeTable {
  const lines = text.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  const firstLine = lines[0]!.startsWith("#version") ? 1 : 0;
  while (lines.at(-1) === "") lines.pop();

  const idOf = (token: string, role: string, line: number): number => {
    const id = ids.get(token);
    if (id !== undefined && !specialTokens.has(token)) return id;
    const problem = id === undefined ? "is not in the vocabulary" : "is a special token";
    throw new TokenizerError(`the merge's ${role} ${JSON.stringify(token)} ${problem}`, { file, line, token });
  };

  const merges: Merge[] = [];
  for (let index = firstLine; index < lines.length; index++) {
    const pair = lines[index]!;
    const line = index + 1;
    const space = pair.indexOf(" ");
    if (space <= 0 || space === pair.length - 1 || pair.includes(" ", space + 1)) {
      const problem = `expected two tokens with a space between, found ${JSON.stringify(pair)}`;
      throw new TokenizerError(problem, { file, line });
    }
    const left = pair.slice(0, space);
    const right = pair.slice(space + 1);
    merges.push({
      left: idOf(left, "left part", line),
      right: idOf(right, "right part", line),
      result: idOf(left + right, "result", line),
    });
    if (merges.length > MAX_MERGES) throw new TokenizerError(`more than ${MAX_MERGES} merges`, { file, line });
  }

  const table = new MergeTable(merges);
  for (const [rank, { left, right }] of merges.entries()) {
    const last = table.rankOf(left, right);
    if (last === rank) continue;
    const line = firstLine + last + 1;
    const problem = `${JSON.stringify(lines[line - 1])} is already on line ${firstLine + rank + 1}`;
    throw new TokenizerError(problem, { file, line });
  }
  return table;
}
