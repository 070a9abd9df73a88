import { ContextLengthError, checkTokenIds, type GPT2 } from "@gpt2-ts/gpt2";
import { decodeStrictly } from "./input.ts";

/** A parsed line of input. */
export interface Entry {
  readonly ids: readonly number[];
  /** Its keys other than `text` and `ids`. */
  readonly others: Readonly<Record<string, unknown>>;
}

const EXPECTED = 'expected an object with either "text" or "ids"';

/**
 * Reads `{"text": …}` or `{"ids": […]}` with any other keys.
 *
 * @param stride undefined if a sequence has to fit into the context
 * @throws Error, TokenIdError or ContextLengthError, without the number of the line
 */
export function parseLine(line: Uint8Array, model: GPT2, stride: number | undefined): Entry {
  const json = parseJson(decodeStrictly(line, "it").replace(/^\ufeff/, ""));
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new Error(EXPECTED);
  const { text, ids: given, ...others } = json as Readonly<Record<string, unknown>>;
  if ((text === undefined) === (given === undefined)) throw new Error(EXPECTED);
  const ids = given === undefined ? encode(text, model) : checkIds(given, model);
  const { nPositions } = model.config;
  if (stride === undefined && ids.length > nPositions) throw new ContextLengthError(ids.length, nPositions);
  return { ids, others };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`it is not JSON: ${(cause as Error).message}`, { cause });
  }
}

function encode(text: unknown, model: GPT2): readonly number[] {
  if (typeof text !== "string") throw new Error('"text" is not a string');
  return model.tokenizer.encode(text);
}

function checkIds(ids: unknown, model: GPT2): readonly number[] {
  if (!Array.isArray(ids)) throw new Error('"ids" is not an array');
  checkTokenIds(model.model, ids);
  return ids;
}
