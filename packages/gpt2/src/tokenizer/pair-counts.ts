import { Heap } from "./heap.ts";

/** A pair of neighbouring tokens and how often it occurs in the text. */
export interface CountedPair {
  readonly left: number;
  readonly right: number;
  readonly count: number;
}

interface Word {
  ids: number[];
  readonly count: number;
}

interface Pair {
  readonly left: number;
  readonly right: number;
  count: number;
  /** The words it occurs in, or once occurred in. */
  readonly words: Set<Word>;
}

/** Ids are below 2^26, so that a pair of them makes an exact number. */
const IDS = 2 ** 26;

/**
 * How often each pair of neighbouring tokens occurs in a text, kept up to date as pairs are merged: a merge visits only the words
 * that contain the pair. In `aaa` the pair `a a` counts twice, although only one of the two can be merged.
 */
export class PairCounts {
  readonly #pairs = new Map<number, Pair>();
  /** Pairs with the count they had when they were queued. Counts of old pairs only fall, so none is queued too low. */
  readonly #queue = new Heap<CountedPair>(goesFirst);

  /** @param words each word's token ids, and how often it occurs in the text */
  constructor(words: Iterable<readonly [ids: number[], count: number]>) {
    for (const [ids, count] of words) {
      const word = { ids, count };
      for (let i = 0; i + 1 < ids.length; i++) this.#add(ids[i]!, ids[i + 1]!, word);
    }
    for (const { left, right, count } of this.#pairs.values()) this.#queue.push({ left, right, count });
  }

  /** The pair with the highest count, and among equals the one with the lowest ids; undefined if there is none. */
  mostFrequent(): CountedPair | undefined {
    for (let top = this.#queue.pop(); top !== undefined; top = this.#queue.pop()) {
      const count = this.#pairs.get(top.left * IDS + top.right)?.count ?? 0;
      if (count > 0) this.#queue.push({ ...top, count });
      if (count === top.count) return top;
    }
    return undefined;
  }

  /** Replaces the pair by one new token, from left to right in each word. */
  merge(left: number, right: number, token: number): void {
    const made = new Set<Pair>();
    for (const word of this.#pairs.get(left * IDS + right)?.words ?? []) {
      this.#mergeInWord(word, left, right, token, made);
    }
    this.#pairs.delete(left * IDS + right);
    for (const { left, right, count } of made) this.#queue.push({ left, right, count });
  }

  #mergeInWord(word: Word, left: number, right: number, token: number, made: Set<Pair>): void {
    const before = word.ids;
    const after: number[] = [];
    for (let i = 0; i < before.length; i++) {
      if (before[i] !== left || before[i + 1] !== right) {
        after.push(before[i]!);
        continue;
      }
      const previous = after.at(-1);
      if (previous !== undefined) {
        this.#remove(previous, left, word);
        made.add(this.#add(previous, token, word));
      }
      const next = before[i + 2];
      if (next !== undefined) {
        this.#remove(right, next, word);
        made.add(this.#add(token, next, word));
      }
      after.push(token);
      i++;
    }
    word.ids = after;
  }

  #add(left: number, right: number, word: Word): Pair {
    const key = left * IDS + right;
    let pair = this.#pairs.get(key);
    if (pair === undefined) {
      pair = { left, right, count: 0, words: new Set() };
      this.#pairs.set(key, pair);
    }
    pair.count += word.count;
    pair.words.add(word);
    return pair;
  }

  #remove(left: number, right: number, word: Word): void {
    this.#pairs.get(left * IDS + right)!.count -= word.count;
  }
}

function goesFirst(a: CountedPair, b: CountedPair): boolean {
  if (a.count !== b.count) return a.count > b.count;
  return a.left !== b.left ? a.left < b.left : a.right < b.right;
}
