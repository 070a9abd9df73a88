import { Generator } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PromptLookup } from "../../src/generate/lookup.ts";
import type { PassCost } from "../../src/generate/pass-costs.ts";

const LONGEST = 8;
const costOf: PassCost = (tokens) => (tokens === 1 ? 1 : 0.6 + Math.ceil(tokens / 4));

/** All earlier places where `ids` stood as it does at its end for two tokens at least, and for how many, up to {@link LONGEST}. */
function matches(ids: readonly number[]): { next: number; length: number }[] {
  const found: { next: number; length: number }[] = [];
  for (let next = 2; next < ids.length; next++) {
    let length = 0;
    while (length < Math.min(next, LONGEST) && ids[next - 1 - length] === ids[ids.length - 1 - length]) length++;
    if (length >= 2) found.push({ next, length });
  }
  return found;
}

/** Texts of few different tokens, in which pieces come again. */
const texts = fc
  .tuple(fc.array(fc.nat(12), { minLength: 3, maxLength: 12 }), fc.array(fc.nat(40), { maxLength: 30 }), fc.nat(2))
  .map(([piece, others, times]) => [piece, others, ...new Array<number[]>(times + 1).fill(piece)].flat());

describe("prompt lookup", () => {
  it("goes on as behind the longest match, the latest of several, and round and round from the text's end", () => {
    let drafts = 0;
    fc.assert(
      fc.property(texts, fc.nat(10), (ids, most) => {
        const draft = new PromptLookup(ids, costOf).draft(most);
        expect(draft.length).toBeLessThanOrEqual(most);
        if (draft.length === 0) return;
        drafts++;
        const longest = Math.max(...matches(ids).map(({ length }) => length));
        const { next } = matches(ids).findLast(({ length }) => length === longest)!;
        const on = ids.slice(next);
        expect(draft).toEqual(Array.from(draft, (_, i) => on[i % on.length]));
      }),
      { numRuns: 300 },
    );
    expect(drafts).toBeGreaterThan(50);
  });

  it("drafts as much as it may where a text goes round in a circle, and nothing at first", () => {
    const circle = Array.from({ length: 90 }, (_, i) => [5, 3, 8, 8, 1, 30_000][i % 6]!);
    const lookup = new PromptLookup([], costOf);
    expect(lookup.draft(7)).toEqual([]);
    for (const id of circle.slice(0, 40)) lookup.push(id);
    for (let at = 40; at + 8 <= circle.length; at += 8) {
      expect(lookup.draft(7)).toEqual(circle.slice(at, at + 7));
      for (const id of circle.slice(at, at + 8)) lookup.push(id);
    }
    const passes = Math.floor(50 / 8);
    expect(lookup.statistics).toEqual({ drafted: 7 * passes, accepted: 7 * passes });
  });

  it("counts as accepted what came before the first wrong guess", () => {
    const lookup = new PromptLookup(
      Array.from({ length: 40 }, (_, i) => i % 4),
      costOf,
    );
    expect(lookup.draft(3)).toEqual([0, 1, 2]);
    for (const id of [0, 9, 2]) lookup.push(id);
    expect(lookup.statistics).toEqual({ drafted: 3, accepted: 1 });
  });

  it("drafts nothing in a text without repetition", () => {
    const lookup = new PromptLookup([], costOf);
    for (let id = 0; id < 1000; id++) {
      lookup.push((id * 7919) % 1009);
      expect(lookup.draft(7)).toEqual([]);
    }
  });

  it("drafts nothing where each token of a pass costs as much as a pass", () => {
    const lookup = new PromptLookup([], (tokens) => tokens);
    for (let i = 0; i < 100; i++) {
      lookup.push(i % 5);
      expect(lookup.draft(7)).toEqual([]);
    }
  });

  it("never costs more than 2 % of the passes, however a text repeats itself", () => {
    const random = new Generator(1);
    const costs: number[] = [];
    for (const noise of [0, 0.02, 0.1, 0.3, 0.5, 1]) {
      for (const period of [2, 3, 5, 10, 30]) {
        const text = Array.from({ length: 1000 }, (_, i) =>
          random.uniform() < noise ? random.integer(0, noise < 1 ? 1000 : period) : i % period,
        );
        const cost = costOfGenerating(text);
        expect(cost, `period ${period}, ${noise} of the tokens random`).toBeLessThan(1.02);
        costs.push(cost);
      }
    }
    for (const cost of costs.slice(0, 5)) expect(cost).toBeLessThan(0.4); // without noise
  });
});

/** In passes over one token, for each token; a pass over more costs more. */
function costOfGenerating(text: readonly number[]): number {
  const lookup = new PromptLookup([], costOf);
  let cost = 0;
  for (let at = 0; at < text.length; ) {
    const draft = lookup.draft(text.length - at - 1);
    cost += costOf(1 + draft.length);
    let row = 0;
    do lookup.push(text[at++]!);
    while (text[at - 1] === draft[row++]);
  }
  return cost / text.length;
}
