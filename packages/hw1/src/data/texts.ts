import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { decodeStrictly } from "gpt2-ts";
import { DataError } from "./errors.ts";
import { type PickleValue, readPickle } from "./pickle.ts";

/** The formats that texts are read from. */
export const TEXT_FORMATS = [".pkl", ".json", ".jsonl", ".txt"] as const;

/**
 * The most characters (UTF-16 units) that the texts of a pickle may have, for each of its bytes and beyond the first
 * million. A pickle can name one string many times, so a small file could hold more text than fits into memory.
 */
const MOST_CHARACTERS_PER_BYTE = 16;
const FREE_CHARACTERS = 2 ** 20;

/** Texts, and for each whether it is random, if the file says so for all. */
export interface LabelledTexts {
  readonly texts: readonly string[];
  readonly labels: readonly boolean[] | undefined;
}

/**
 * Reads the texts of a file (at least one), by its extension:
 *
 * - `.pkl`: a pickled list of strings, or a dict of int to string, in the order of its keys
 * - `.json`: the same, as an array or an object
 * - `.jsonl`: one text per line
 * - `.txt`: one text per line; blank lines are left out
 *
 * In JSON a text is a string, or an object with `text` and perhaps `random`: whether it is.
 *
 * @throws DataError
 */
export async function readTexts(file: string): Promise<LabelledTexts> {
  const bytes = await readBytes(file);
  const entries = entriesOf(file, bytes);
  if (entries.length === 0) throw new DataError(file, "there is no text in it");
  const labels = entries.map(({ random }) => random);
  const labelled = labels.filter((label) => label !== undefined);
  if (labelled.length > 0 && labelled.length < labels.length) {
    const place = `entry ${labels.indexOf(undefined) + 1}`;
    throw new DataError(file, 'it has no "random", as others have: expected all or none', place);
  }
  return { texts: entries.map(({ text }) => text), labels: labelled.length > 0 ? labelled : undefined };
}

/** The bytes of a file, at least one. */
export async function readBytes(file: string): Promise<Uint8Array> {
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw new DataError(file, `cannot be read (${cause.code})`, undefined, { cause });
  });
  if (bytes.length === 0) throw new DataError(file, "the file is empty");
  return bytes;
}

/** UTF-8 as text, without a byte order mark. */
export function decodeFile(file: string, bytes: Uint8Array): string {
  return decodeStrictly(bytes, file).replace(/^\ufeff/, "");
}

interface Entry {
  readonly text: string;
  readonly random: boolean | undefined;
}

function entriesOf(file: string, bytes: Uint8Array): Entry[] {
  switch (extname(file).toLowerCase()) {
    case ".pkl":
      return expectLittleRepeated(file, bytes, entriesOfValue(file, readPickleFile(file, bytes)));
    case ".json":
      return entriesOfValue(file, parseJson(file, decodeFile(file, bytes), undefined));
    case ".jsonl":
      return jsonLines(file, decodeFile(file, bytes));
    case ".txt":
      return lines(decodeFile(file, bytes)).map(([, text]) => ({ text, random: undefined }));
    default:
      throw new DataError(file, `unknown kind of file; expected ${TEXT_FORMATS.join(", ")}`);
  }
}

function readPickleFile(file: string, bytes: Uint8Array): PickleValue {
  try {
    return readPickle(bytes);
  } catch (error) {
    throw new DataError(file, (error as Error).message, undefined, { cause: error });
  }
}

function expectLittleRepeated(file: string, bytes: Uint8Array, entries: Entry[]): Entry[] {
  const characters = entries.reduce((sum, { text }) => sum + text.length, 0);
  if (characters <= FREE_CHARACTERS + MOST_CHARACTERS_PER_BYTE * bytes.length) return entries;
  throw new DataError(file, `its texts repeat: they have ${characters} characters, in a file of ${bytes.length} bytes`);
}

/** The texts of a list, or of a mapping from integers, in the order of its keys. */
function entriesOfValue(file: string, value: unknown): Entry[] {
  if (Array.isArray(value)) return value.map((item, i) => entryOf(file, item, `entry ${i + 1}`));
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) {
    throw new DataError(file, `expected a list of strings, or a dict of int to string; found ${describe(value)}`);
  }
  const pairs = value instanceof Map ? [...value] : Object.entries(value);
  const keyed = pairs.map(([key, item]): [number, unknown] => {
    const number = typeof key === "string" && !(value instanceof Map) && /^-?\d+$/.test(key) ? Number(key) : key;
    if (typeof number === "number" && Number.isSafeInteger(number)) return [number, item];
    throw new DataError(file, "expected integers as keys", `key ${show(key)}`);
  });
  keyed.sort(([a], [b]) => a - b);
  return keyed.map(([key, item]) => entryOf(file, item, `key ${key}`));
}

function jsonLines(file: string, text: string): Entry[] {
  return lines(text).map(([number, line]) => {
    const place = `line ${number}`;
    return entryOf(file, parseJson(file, line, place), place);
  });
}

/** The lines that are not blank, with their numbers. */
function lines(text: string): [number: number, line: string][] {
  return text
    .split(/\r?\n/)
    .map((line, i): [number, string] => [i + 1, line])
    .filter(([, line]) => line.trim() !== "");
}

function parseJson(file: string, text: string, place: string | undefined): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DataError(file, `it is not JSON: ${(cause as Error).message}`, place, { cause });
  }
}

function entryOf(file: string, value: unknown, place: string): Entry {
  if (typeof value === "string") return { text: value, random: undefined };
  if (typeof value === "object" && value !== null && "text" in value && typeof value.text === "string") {
    const random = "random" in value ? value.random : undefined;
    if (random === undefined || typeof random === "boolean") return { text: value.text, random };
    throw new DataError(file, '"random" is neither true nor false', place);
  }
  throw new DataError(file, `expected a string, or an object with "text"; found ${describe(value)}`, place);
}

function show(key: unknown): string {
  return typeof key === "string" ? JSON.stringify(key.slice(0, 40)) : describe(key);
}

function describe(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (value instanceof Uint8Array) return "bytes";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
