import type { TokenTable } from "./token-table.ts";

const [quote, backslash, zero, nine, firstPrintable] = [0x22, 0x5c, 0x30, 0x39, 0x20];
/** More digits than any id has. */
const TOO_LARGE = 1e9;

/** An upper bound of the tokens in a vocab.json: the commas in its text, and one. */
export function mostTokens(text: string): number {
  let most = 1;
  for (let at = text.indexOf(","); at >= 0; at = text.indexOf(",", at + 1)) most++;
  return most;
}

/**
 * Reads a well-formed vocab.json, an object of tokens and whole numbers, into `ids`. Returns false for any other text, perhaps after
 * reading some of it: then `JSON.parse`, which is slower because it makes an object of all tokens, says what is wrong.
 */
export function scanVocabulary(text: string, ids: TokenTable): boolean {
  let at = afterSpace(text, 0);
  if (text[at] !== "{") return false;
  do {
    const start = afterSpace(text, at + 1);
    const end = endOfString(text, start);
    const token = end === undefined ? undefined : unescaped(text.slice(start + 1, end - 1));
    if (end === undefined || token === undefined) return false;
    at = afterSpace(text, end);
    if (text[at] !== ":") return false;
    const first = afterSpace(text, at + 1);
    let id = 0;
    for (at = first; isDigit(text.charCodeAt(at)) && id < TOO_LARGE; at++) id = 10 * id + text.charCodeAt(at) - zero;
    if (at === first || (text[first] === "0" && at > first + 1) || id >= TOO_LARGE) return false;
    ids.set(token, id);
    at = afterSpace(text, at);
  } while (text[at] === ",");
  return text[at] === "}" && afterSpace(text, at + 1) === text.length;
}

function afterSpace(text: string, start: number): number {
  let at = start;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at++;
  return at;
}

function isDigit(code: number): boolean {
  return code >= zero && code <= nine;
}

/** Where the string that begins at `start` ends, including its quotes; undefined if there is none. */
function endOfString(text: string, start: number): number | undefined {
  if (text.charCodeAt(start) !== quote) return undefined;
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) return at + 1;
    if (code < firstPrintable) return undefined;
    if (code === backslash) at++;
  }
  return undefined;
}

/** The text that the inside of a JSON string stands for; undefined if it has an invalid escape. */
function unescaped(text: string): string | undefined {
  if (!text.includes("\\")) return text;
  try {
    return JSON.parse(`"${text}"`);
  } catch {
    return undefined;
  }
}
