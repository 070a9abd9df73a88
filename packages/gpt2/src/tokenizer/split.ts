import { characterClass, WHITE_SPACE } from "./character-classes.ts";

const SPACE = 0x20;
const APOSTROPHE = 0x27;

/**
 * Where the word that begins at `start` ends. Words are what GPT-2's pattern matches; a merge never crosses their ends:
 *
 *     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * (https://github.com/openai/gpt-2/blob/master/src/encoder.py). Written by hand for two reasons: an engine's \p{L} and \s are not
 * GPT-2's (see character-classes.ts), and a regular expression keeps a stack for backtracking, which a megabyte of spaces
 * overflows. This reads each character at most twice.
 */
export function endOfWord(text: string, start: number): number {
  const contraction = contractionLength(text, start);
  if (contraction > 0) return start + contraction;

  // ` ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+`
  const afterSpace = text.charCodeAt(start) === SPACE && start + 1 < text.length ? start + 1 : start;
  const kind = characterClass(text.codePointAt(afterSpace)!);
  if (kind !== WHITE_SPACE) return endOfRun(text, afterSpace, kind);

  // `\s+(?!\S)`: all the white space, except for the last character if a word follows; `\s+` if there is only that one.
  const end = endOfRun(text, start, WHITE_SPACE);
  return end === text.length || end === start + 1 ? end : end - 1;
}

/** The length of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at `start`, or 0. */
function contractionLength(text: string, start: number): number {
  if (text.charCodeAt(start) !== APOSTROPHE) return 0;
  const next = text[start + 1];
  if (next === "s" || next === "t" || next === "m" || next === "d") return 2;
  const two = text.slice(start + 1, start + 3);
  return two === "re" || two === "ve" || two === "ll" ? 3 : 0;
}

/** The end of the run of characters of one class that begins at `start`. */
function endOfRun(text: string, start: number, kind: number): number {
  let i = start;
  while (i < text.length) {
    const codePoint = text.codePointAt(i)!;
    if (characterClass(codePoint) !== kind) break;
    i += codePoint > 0xffff ? 2 : 1;
  }
  return i;
}
