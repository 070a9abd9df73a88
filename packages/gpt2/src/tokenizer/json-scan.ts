import { DEEPEST } from "../json-nesting.ts";

const [quote, backslash, firstPrintable] = [0x22, 0x5c, 0x20];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

/** The first place from `start` on that is not white space of JSON. */
export function afterSpace(text: string, start: number): number {
  let at = start;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at++;
  return at;
}

/** Where the string that begins at `start` ends, including its quotes; undefined if there is none. */
export function endOfString(text: string, start: number): number | undefined {
  if (text.charCodeAt(start) !== quote) return undefined;
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) return at + 1;
    if (code < firstPrintable) return undefined;
    if (code === backslash) at++;
  }
  return undefined;
}

/** The text of the string at `start`..`end`, without its quotes; undefined if it has an invalid escape. */
export function stringAt(text: string, start: number, end: number): string | undefined {
  const inside = text.slice(start + 1, end - 1);
  if (!inside.includes("\\")) return inside;
  try {
    return JSON.parse(`"${inside}"`);
  } catch {
    return undefined;
  }
}

/** Reads what begins at a place, and says where it ends; undefined if it cannot. */
type Reader = (start: number) => number | undefined;

/** Goes through the object at `start`: `member` reads each value. Returns where the object ends; undefined if it is malformed. */
export function scanObject(
  text: string,
  start: number,
  member: (key: string, start: number) => number | undefined,
): number | undefined {
  return scanItems(text, start, "{}", (at) => {
    const end = endOfString(text, at);
    const key = end === undefined ? undefined : stringAt(text, at, end);
    if (end === undefined || key === undefined) return undefined;
    const colon = afterSpace(text, end);
    return text[colon] === ":" ? member(key, afterSpace(text, colon + 1)) : undefined;
  });
}

/** Goes through what stands between two brackets, with commas between. */
export function scanItems(text: string, start: number, brackets: "{}" | "[]", item: Reader): number | undefined {
  if (text[start] !== brackets[0]) return undefined;
  let at = afterSpace(text, start + 1);
  if (text[at] === brackets[1]) return at + 1;
  for (;;) {
    const end = item(at);
    if (end === undefined) return undefined;
    at = afterSpace(text, end);
    if (text[at] === brackets[1]) return at + 1;
    if (text[at] !== ",") return undefined;
    at = afterSpace(text, at + 1);
  }
}

/**
 * Where the value that begins at `start` ends, by its brackets and strings, whatever is between them; undefined if they do not close,
 * or nest too deep.
 */
export function endOfValue(text: string, start: number): number | undefined {
  let depth = 0;
  for (let at = start; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      const end = endOfString(text, at);
      if (end === undefined) return undefined;
      at = end;
    } else {
      at++;
      if (code === openBrace || code === openBracket) depth++;
      else if (code === closeBrace || code === closeBracket) depth--;
      else if (depth > 0 || !isEndOfScalar(text[at])) continue;
    }
    if (depth === 0) return at;
    if (depth > DEEPEST) return undefined;
  }
  return undefined;
}

function isEndOfScalar(character: string | undefined): boolean {
  return character === undefined || ",]} \n\r\t".includes(character);
}
