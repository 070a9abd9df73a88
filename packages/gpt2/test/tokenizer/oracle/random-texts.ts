import { readFileSync } from "node:fs";

type Kind = { readonly ranges: [first: number, last: number][] } | { readonly words: readonly string[] };

const kinds: (Kind & { readonly name: string })[] = JSON.parse(
  readFileSync(new URL("random-texts.json", import.meta.url), "utf8"),
);

/**
 * Random texts of all the kinds in random-texts.json; random_texts.py makes the same ones from the same seed. Every other piece is
 * one of `tokens`, if there are any. `leaveOut` names kinds.
 */
export function* randomTexts(
  count: number,
  seed: number,
  tokens: readonly string[] = [],
  leaveOut: readonly string[] = [],
): Generator<string> {
  const below = generator(seed);
  const ofRange = kinds.filter(({ name }) => !leaveOut.includes(name));
  const allKinds: Kind[] = [...ofRange, ...(tokens.length > 0 ? ofRange.map(() => ({ words: tokens })) : [])];
  for (let i = 0; i < count; i++) {
    let text = "";
    for (let pieces = 1 + below(12); pieces > 0; pieces--) {
      const piece = randomPiece(allKinds[below(allKinds.length)]!, below);
      text += piece.repeat(below(8) === 0 ? 2 + below(30) : 1);
    }
    yield text;
  }
}

function randomPiece(kind: Kind, below: (limit: number) => number): string {
  if ("words" in kind) return kind.words[below(kind.words.length)]!;
  let index = below(kind.ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0));
  for (const [first, last] of kind.ranges) {
    if (first + index <= last) return String.fromCodePoint(first + index);
    index -= last - first + 1;
  }
  throw new Error("unreachable: the index is below the number of characters");
}

/** Random whole numbers below a limit (mulberry32, modulo). */
export function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}
