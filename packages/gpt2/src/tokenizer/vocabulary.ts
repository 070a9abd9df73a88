import { bytesToSymbols, symbolsToBytes } from "./byte-symbols.ts";
import { TokenizerError } from "./errors.ts";
import { MAX_MERGES, type Merge } from "./merge.ts";
import { encodeUtf8 } from "./utf8.ts";

/** A checked vocabulary: every byte has a token, ids are 0 … size-1, every merge is between tokens that exist. */
export interface Vocabulary {
  /** Token → id, tokens written in byte symbols. */
  readonly ids: ReadonlyMap<string, number>;
  /** Token → id of the special tokens, written as they are. */
  readonly specialTokens: ReadonlyMap<string, number>;
  /** Each id's bytes. */
  readonly bytes: readonly Uint8Array[];
  /** Each byte's id. */
  readonly idOfByte: Int32Array;
  /** By rank. */
  readonly merges: readonly Merge[];
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
    ids,
    specialTokens,
    bytes: tokens.map((token) => tokenBytes(token, specialTokens.has(token))),
    idOfByte: Int32Array.from({ length: 256 }, (_, byte) => idOfByte(byte, ids, files.vocab)),
    merges: readMerges(merges, ids, specialTokens, files.merges),
  };
}

function readIds(vocab: string | Readonly<Record<string, number>>, file: string): Map<string, number> {
  const json = typeof vocab === "string" ? parseJson(vocab, file) : vocab;
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TokenizerError("expected a JSON object of tokens and their ids", { file });
  }
  // Object.entries and a Map, because tokens are anything: "__proto__" and "constructor" too.
  return new Map(Object.entries(json).map(([token, id]) => [token, checkedId(token, id, file)]));
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
  throw new TokenizerError(
    `the id of ${JSON.stringify(token)} is ${JSON.stringify(id)}, not a whole number from 0 on`,
    {
      file,
      token,
    },
  );
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
    const known = ids.get(token);
    if (known !== undefined && known !== id) {
      throw new TokenizerError(`special token ${JSON.stringify(token)}: id ${id}, but ${known} in the vocabulary`, {
        token,
        id,
      });
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

/** A token that is not written in byte symbols (an added one, as a rule) stands for its own text. */
function tokenBytes(token: string, isSpecial: boolean): Uint8Array {
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
): Merge[] {
  const lines = text.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  const merges: Merge[] = [];
  const lineOfPair = new Map<string, number>();
  for (const [index, pair] of lines.entries()) {
    const line = index + 1;
    if (line === 1 && pair.startsWith("#version")) continue;
    if (pair === "" && lines.slice(index).every((rest) => rest === "")) break;

    const parts = pair.split(" ");
    const [left, right] = parts;
    if (parts.length !== 2 || !left || !right) {
      throw new TokenizerError(`expected two tokens with a space between, found ${JSON.stringify(pair)}`, {
        file,
        line,
      });
    }
    const idOf = (token: string, role: string): number => {
      const id = ids.get(token);
      if (id !== undefined && !specialTokens.has(token)) return id;
      const problem = id === undefined ? "is not in the vocabulary" : "is a special token";
      throw new TokenizerError(`${role} ${JSON.stringify(token)} ${problem}`, { file, line, token });
    };
    merges.push({
      left: idOf(left, "the merge's left part"),
      right: idOf(right, "the merge's right part"),
      result: idOf(left + right, "the merge's result"),
    });

    const before = lineOfPair.get(pair);
    if (before !== undefined) {
      throw new TokenizerError(`${JSON.stringify(pair)} is already on line ${before}`, { file, line, token: pair });
    }
    lineOfPair.set(pair, line);
    if (merges.length > MAX_MERGES) throw new TokenizerError(`more than ${MAX_MERGES} merges`, { file, line });
  }
  return merges;
}
