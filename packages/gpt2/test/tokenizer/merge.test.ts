import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Merge, MergeTable, mergeByHeap, mergeBySearch, mergeWord } from "../../src/tokenizer/merge.ts";
import { gpt2Tokenizer } from "./support/gpt2-vocabulary.ts";

/** The definition in as few words as possible: find the lowest rank, leftmost, merge it, look again. */
function mergeByDefinition(word: readonly number[], merges: readonly Merge[]): number[] {
  for (const { left, right, result } of merges) {
    const at = word.findIndex((id, i) => id === left && word[i + 1] === right);
    if (at >= 0) return mergeByDefinition([...word.slice(0, at), result, ...word.slice(at + 2)], merges);
  }
  return [...word];
}

const BYTES = 3;

/** Merges in an order that need not be learnable: a merge may come before those that make its parts. */
const anyMerges = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 12 }).chain((seeds) => {
  const merges = seeds.map(([left, right], i): Merge => {
    return { left: left % (BYTES + i), right: right % (BYTES + i), result: BYTES + i };
  });
  const pairs = new Map(merges.map((merge) => [`${merge.left} ${merge.right}`, merge]));
  return fc.shuffledSubarray([...pairs.values()], { minLength: pairs.size });
});

function tableOf(merges: readonly Merge[]): MergeTable {
  const table = new MergeTable(merges.length);
  for (const [rank, merge] of merges.entries()) expect(table.add(merge)).toBe(rank);
  return table;
}

describe("merging a word", () => {
  it("merges the lowest rank first, leftmost first, by search and by heap, for any list of merges", () => {
    const word = fc.array(fc.nat(BYTES - 1), { maxLength: 60 });
    fc.assert(
      fc.property(anyMerges, word, (merges, ids) => {
        const table = tableOf(merges);
        const expected = mergeByDefinition(ids, merges);
        expect([...mergeBySearch(Int32Array.from(ids), table)]).toEqual(expected);
        expect([...mergeByHeap(Int32Array.from(ids), table)]).toEqual(expected);
        expect([...mergeWord(Int32Array.from(ids), table)]).toEqual(expected);
      }),
      { numRuns: 3_000 },
    );
  });

  it("leaves a word alone that has nothing to merge, empty and one byte long ones too", () => {
    const table = tableOf([{ left: 0, right: 1, result: 2 }]);
    for (const ids of [[], [0], [1, 0], [2, 2]]) {
      expect([...mergeBySearch(Int32Array.from(ids), table)]).toEqual(ids);
      expect([...mergeByHeap(Int32Array.from(ids), table)]).toEqual(ids);
    }
  });
});

describe("a megabyte without a space", () => {
  const tokenizer = gpt2Tokenizer();

  it.each(["a", "!", "=", " ", "\n", "漢", "ab", "\n\na"])(
    "of %j is merged by heap, where a search for each merge would take many minutes",
    (unit) => {
      const text = unit.repeat(Math.floor(1_000_000 / Buffer.byteLength(unit)));
      expect(tokenizer.decode(tokenizer.encode(text)) === text).toBe(true);
    },
  );
});
