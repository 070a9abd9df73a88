import { generator } from "./random-texts.ts";

const FRAGMENTS = [
  ...['"', ",", ":", "{", "}", "[", "]", "\\", "0", "7", "-1", "1e3", "0.5", "null", "true", "false", '""', '"a b"'],
  ...['["a","b"]', "{}", "[]", '"Ġ"', "\\u0120", " ", "\n", "\u0001", "a", "é", "Ġ", '"<|x|>"', "99999999999"],
  ...['"BPE"', '"ByteLevel"', "#version"],
];

/**
 * `count` mutated forms of a text, one to three edits each: something is cut out, put in, or copied from elsewhere. mutations.py makes
 * the same ones from the same seed, of a text without astral characters.
 */
export function* mutations(text: string, count: number, seed: number): Generator<string> {
  const below = generator(seed);
  for (let i = 0; i < count; i++) {
    let mutated = text;
    for (let edits = 1 + (below(2) === 0 ? below(3) : 0); edits > 0; edits--) {
      const at = below(mutated.length + 1);
      const cut = below(4) > 0 ? below(6) : below(60);
      let inserted: string;
      if (below(3) > 0) {
        inserted = below(4) > 0 ? FRAGMENTS[below(FRAGMENTS.length)]! : "";
      } else {
        const start = below(mutated.length + 1);
        inserted = mutated.slice(start, start + below(60));
      }
      mutated = mutated.slice(0, at) + inserted + mutated.slice(at + cut);
    }
    yield mutated;
  }
}
