import { afterSpace, scanObject } from "./json-scan.ts";
import type { TokenTable } from "./token-table.ts";

const [zero, nine] = [0x30, 0x39];
/** More digits than any id has. */
const TOO_LARGE = 1e9;

/** An upper bound of the items in a list or object: the commas in its text, and one. */
export function mostItems(text: string): number {
  let most = 1;
  for (let at = text.indexOf(","); at >= 0; at = text.indexOf(",", at + 1)) most++;
  return most;
}

/**
 * Reads a well-formed vocab.json, an object of tokens and whole numbers, into `ids`. Returns false for any other text, perhaps after
 * reading some of it: then `JSON.parse`, which is slower because it makes an object of all tokens, says what is wrong.
 */
export function scanVocabulary(text: string, ids: TokenTable): boolean {
  const end = scanObject(text, afterSpace(text, 0), (token, start) => {
    let id = 0;
    let at = start;
    for (; isDigit(text.charCodeAt(at)) && id < TOO_LARGE; at++) id = 10 * id + text.charCodeAt(at) - zero;
    if (at === start || (text[start] === "0" && at > start + 1) || id >= TOO_LARGE) return undefined;
    ids.set(token, id);
    return at;
  });
  return end !== undefined && afterSpace(text, end) === text.length;
}

function isDigit(code: number): boolean {
  return code >= zero && code <= nine;
}
