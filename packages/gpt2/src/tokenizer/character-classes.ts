import { letterRanges, numberRanges, whiteSpace } from "./character-classes.table.ts";

/** The four classes that GPT-2's splitting pattern tells apart. */
export type CharacterClass = typeof OTHER | typeof LETTER | typeof NUMBER | typeof WHITE_SPACE;

export const OTHER = 0;
export const LETTER = 1;
export const NUMBER = 2;
export const WHITE_SPACE = 3;

// A table of our own, because \p{L}, \p{N} and \s differ between JavaScript engines (with their Unicode versions) and from the
// Hugging Face and OpenAI tokenizers; the ids would differ too.
const classes: Uint8Array = buildTable();

function buildTable(): Uint8Array {
  const table = new Uint8Array(0x110000).fill(OTHER);
  fillRanges(table, letterRanges, LETTER);
  fillRanges(table, numberRanges, NUMBER);
  for (const codePoint of whiteSpace.split(/\s/)) table[Number.parseInt(codePoint, 16)] = WHITE_SPACE;
  return table;
}

function fillRanges(table: Uint8Array, ranges: string, characterClass: CharacterClass): void {
  const numbers = ranges.split(/\s/).map((digits) => Number.parseInt(digits, 36));
  let end = 0;
  for (let i = 0; i < numbers.length; i += 2) {
    const start = end + numbers[i]!;
    end = start + numbers[i + 1]!;
    table.fill(characterClass, start, end);
  }
}

/** The class of a code point. A lone surrogate is {@link OTHER}, like U+FFFD, as which it is encoded. */
export function characterClass(codePoint: number): CharacterClass {
  return classes[codePoint] as CharacterClass;
}
