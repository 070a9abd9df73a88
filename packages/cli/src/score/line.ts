import { ContextLengthError, type EncodeOptions, type LanguageModel, TokenIdError } from "@gpt2-ts/gpt2";
import { JsonScanner } from "../json-scanner.ts";
import { encodeOptions } from "../model-options.ts";
import { decodeStrictly } from "../utf8.ts";
import type { Field } from "./fields.ts";

/** What `gpt2 score` writes for a line that it cannot use. */
const REPORT_KEYS = ["line", "error"];

/** The most ids of a line: more than could be scored, and fewer than end the process when they are parsed (Node 20). */
const MOST_IDS = 2 ** 26;

const EXPECTED = 'expected an object with either "text" or "ids"';

/** What is the same for all lines. */
export interface LineOptions {
  /** Undefined if a sequence has to fit into the context. */
  readonly stride?: number | undefined;
  /** What is written of a score. */
  readonly fields: readonly Field[];
  /** Whether special tokens in a text are read as such. */
  readonly specialTokens?: boolean | undefined;
  /** The one key that the result is written under; otherwise its keys stand beside those of the line. */
  readonly resultKey?: string | undefined;
  /** Whether lines that cannot be used are reported in the output. */
  readonly report?: boolean | undefined;
}

/** What of a model is needed to read a line. */
export type Reader = Pick<LanguageModel, "config" | "tokenizer">;

/** A line of input whose JSON was read. */
export interface Line {
  /** JSON of the values of `text` and `ids`. */
  readonly text: string | undefined;
  readonly ids: string | undefined;
  /** How many items `ids` has; undefined if it is no array. */
  readonly idCount: number | undefined;
  /** Its other members, as they are written; between them are commas. */
  readonly others: string;
  /** A key that stands for something else in the output. */
  readonly taken: string | undefined;
}

/**
 * Reads `{"text": …}` or `{"ids": […]}` with any other members.
 *
 * @returns undefined for a line of blanks
 * @throws Error for what is not such JSON, without the number of the line
 */
export function readLine(bytes: Uint8Array, options: LineOptions): Line | undefined {
  const json = decodeStrictly(bytes, "it").replace(/^\ufeff/, "");
  if (/^[ \t\r]*$/.test(json)) return undefined;
  const taken = new Set(takenKeys(options));
  const found = new Map<string, { readonly json: string; readonly items: number | undefined }>();
  const runs: string[] = []; // of other members, so that their number does not matter
  let firstTaken: string | undefined;
  let runStart = 0;
  let runEnd = 0;
  const endRun = (): void => {
    if (runEnd > runStart) runs.push(json.slice(runStart, runEnd));
    runEnd = runStart;
  };
  const members = new JsonScanner(json).members();
  let step = members.next();
  for (; !step.done; step = members.next()) {
    const { key, start, valueStart, end, items } = step.value;
    if (key === "text" || key === "ids") {
      endRun();
      if (found.has(key)) throw new Error(`"${key}" occurs twice`);
      found.set(key, { json: json.slice(valueStart, end), items });
    } else {
      if (taken.has(key)) firstTaken ??= key;
      if (runEnd === runStart) runStart = start;
      runEnd = end;
    }
  }
  if (!step.value) throw new Error(EXPECTED);
  endRun();
  const ids = found.get("ids");
  return {
    text: found.get("text")?.json,
    ids: ids?.json,
    idCount: ids?.items,
    others: firstTaken === undefined ? runs.join(",") : "",
    taken: firstTaken,
  };
}

function takenKeys({ fields, resultKey, report }: LineOptions): readonly string[] {
  return resultKey === undefined ? [...fields, ...(report ? REPORT_KEYS : [])] : [resultKey];
}

/**
 * The tokens of a line.
 *
 * @throws Error, TokenIdError or ContextLengthError, without the number of the line
 */
export function idsOf(line: Line, model: Reader, { stride, specialTokens }: LineOptions): readonly number[] {
  if (line.taken !== undefined) {
    throw new Error(`the output has a key "${line.taken}" too: rename it, or put the results under --result-key`);
  }
  if ((line.text === undefined) === (line.ids === undefined)) throw new Error(EXPECTED);
  const checkLength = (length: number): void => {
    const { nPositions } = model.config;
    if (stride === undefined && length > nPositions) throw new ContextLengthError(length, nPositions);
    if (length > MOST_IDS) throw new Error(`it has more than ${MOST_IDS} tokens`);
  };
  if (line.ids === undefined) {
    const ids = encode(JSON.parse(line.text!), model, encodeOptions(specialTokens));
    checkLength(ids.length);
    return ids;
  }
  if (line.idCount === undefined) throw new Error('"ids" is not an array');
  checkLength(line.idCount); // before they are parsed
  const ids = JSON.parse(line.ids) as readonly number[];
  const { vocabSize } = model.config;
  for (const [i, id] of ids.entries()) {
    if (!Number.isInteger(id) || id < 0 || id >= vocabSize) throw new TokenIdError(id, i, vocabSize);
  }
  return ids;
}

function encode(text: unknown, model: Reader, options: EncodeOptions): readonly number[] {
  if (typeof text !== "string") throw new Error('"text" is not a string');
  return model.tokenizer.encode(text, options);
}
