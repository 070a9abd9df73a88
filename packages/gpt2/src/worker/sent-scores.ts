import type { Score } from "../score/text.ts";

/** A score, or a part of one: its arrays go on where those of the part before it end. */
export type ScorePart = readonly [index: number, part: Readonly<Record<string, unknown>>];

/** Elements of arrays in one message: a fraction of a millisecond for the thread that receives them. */
const ELEMENTS_PER_MESSAGE = 4096;

/** Scores in messages of about the same length, however many and however long they are. */
export function* partsOf(scores: readonly Score[]): Generator<ScorePart[]> {
  let parts: ScorePart[] = [];
  let elements = 0;
  for (const [index, score] of scores.entries()) {
    const arrays = Object.entries(score).filter((entry): entry is [string, unknown[]] => Array.isArray(entry[1]));
    const longest = Math.max(1, ...arrays.map(([, { length }]) => length));
    const atOnce = Math.ceil(ELEMENTS_PER_MESSAGE / Math.max(1, arrays.length));
    for (let start = 0; start < longest; start += atOnce) {
      const slices = arrays.map(([field, array]) => [field, array.slice(start, start + atOnce)] as const);
      parts.push([index, { ...(start === 0 && score), ...Object.fromEntries(slices) }]);
      elements += slices.reduce((sum, [, { length }]) => sum + length, 1);
      if (elements < ELEMENTS_PER_MESSAGE) continue;
      yield parts;
      parts = [];
      elements = 0;
    }
  }
  if (parts.length > 0) yield parts;
}

/** Adds a message's parts to the scores that came before. */
export function addParts(scores: Score[], parts: readonly ScorePart[]): void {
  for (const [index, part] of parts) {
    const known = scores[index] as Record<string, unknown> | undefined;
    if (known === undefined) {
      scores[index] = part as unknown as Score;
      continue;
    }
    for (const [field, value] of Object.entries(part)) {
      const array = known[field] as unknown[];
      for (const element of value as unknown[]) array.push(element);
    }
  }
}
