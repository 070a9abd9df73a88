import { hashKeys } from "./hash-keys.ts";
import { NumberHeap } from "./number-heap.ts";

/** A merge: two neighbouring tokens become one. Its rank is its place in merges.txt; lower ranks go first. */
export interface Merge {
  left: number;
  right: number;
  result: number;
}

/** Words of up to this many bytes (nearly all) are merged by search, longer ones with a heap. Measured. */
const LONGEST_SEARCHED_WORD = 48;

/** A heap entry is rank · 2^31 + position, exact in a float64 for ranks below 2^22. */
const POSITIONS = 2 ** 31;
export const MAX_MERGES = 2 ** 22;

/** Of this process: no file can bring pairs that fall into one slot. */
const ownKeys = hashKeys();

const NO_RANK = -1;
const GONE = -1;

/** A table as another thread gets it, which has hash keys of its own. */
export interface MergeTableContents {
  readonly lefts: Int32Array;
  readonly rights: Int32Array;
  readonly results: Int32Array;
  readonly rankAt: Int32Array;
  readonly size: number;
  readonly keys: readonly [left: number, right: number];
}

/** The merges of a vocabulary, found by their pair of token ids. An open-addressing hash table. */
export class MergeTable {
  /** By rank. */
  #lefts: Int32Array;
  #rights: Int32Array;
  #results: Int32Array;
  #rankAt: Int32Array;
  #mask: number;
  #size = 0;
  #leftKey = ownKeys[0];
  #rightKey = ownKeys[1];

  /** @param capacity the most merges it can hold */
  constructor(capacity: number) {
    this.#lefts = new Int32Array(capacity);
    this.#rights = new Int32Array(capacity);
    this.#results = new Int32Array(capacity);
    let slots = 16;
    while (slots < capacity * 2) slots *= 2;
    this.#mask = slots - 1;
    this.#rankAt = new Int32Array(slots).fill(NO_RANK);
  }

  /** The table that another thread had. */
  static from({ lefts, rights, results, rankAt, size, keys }: MergeTableContents): MergeTable {
    const table = new MergeTable(0);
    table.#lefts = lefts;
    table.#rights = rights;
    table.#results = results;
    table.#rankAt = rankAt;
    table.#mask = rankAt.length - 1;
    table.#size = size;
    table.#leftKey = keys[0];
    table.#rightKey = keys[1];
    return table;
  }

  /** What another thread makes this table {@link MergeTable.from}. */
  contents(): MergeTableContents {
    return {
      lefts: this.#lefts,
      rights: this.#rights,
      results: this.#results,
      rankAt: this.#rankAt,
      size: this.#size,
      keys: [this.#leftKey, this.#rightKey],
    };
  }

  /** How many merges were added. */
  get size(): number {
    return this.#size;
  }

  /** Adds the merge of the next rank, and returns the rank. A pair that is there already gets this one, as in Hugging Face `tokenizers`. */
  add({ left, right, result }: Merge): number {
    const rank = this.#size;
    if (rank === this.#results.length) throw new RangeError("the merge table is full");
    const slot = this.#slotOf(left, right);
    this.#lefts[rank] = left;
    this.#rights[rank] = right;
    this.#results[rank] = result;
    this.#rankAt[slot] = rank;
    this.#size++;
    return rank;
  }

  /** The rank of the merge of this pair, or -1. */
  rankOf(left: number, right: number): number {
    return this.#rankAt[this.#slotOf(left, right)]!;
  }

  /** The token that the merge of this rank makes. */
  resultOf(rank: number): number {
    return this.#results[rank]!;
  }

  /** Whether a merge makes this token. */
  makes(token: number): boolean {
    return this.#results.subarray(0, this.#size).includes(token);
  }

  /** The slot that holds the pair, or the free one where it belongs. */
  #slotOf(left: number, right: number): number {
    let slot = (Math.imul(left, this.#leftKey) + Math.imul(right, this.#rightKey)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & this.#mask;
    for (;;) {
      const rank = this.#rankAt[slot]!;
      if (rank === NO_RANK || (this.#lefts[rank] === left && this.#rights[rank] === right)) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }
}

/**
 * Byte-pair encoding of one word (Sennrich et al. 2016, https://arxiv.org/abs/1508.07909): merges the pair of lowest rank, the
 * leftmost of equals, until no pair can be merged. `ids` are the word's bytes as token ids.
 */
export function mergeWord(ids: Int32Array, table: MergeTable): Int32Array {
  return ids.length <= LONGEST_SEARCHED_WORD ? mergeBySearch(ids, table) : mergeByHeap(ids, table);
}

/** The definition itself: quadratic, and the fastest for short words. Overwrites `ids`. */
export function mergeBySearch(ids: Int32Array, table: MergeTable): Int32Array {
  let length = ids.length;
  for (;;) {
    let lowest = NO_RANK;
    let position = 0;
    for (let i = 0; i + 1 < length; i++) {
      const rank = table.rankOf(ids[i]!, ids[i + 1]!);
      if (rank !== NO_RANK && (lowest === NO_RANK || rank < lowest)) {
        lowest = rank;
        position = i;
      }
    }
    if (lowest === NO_RANK) return ids.slice(0, length);
    ids[position] = table.resultOf(lowest);
    ids.copyWithin(position + 1, position + 2, length);
    length--;
  }
}

/** The same result in O(n log n): a linked list of tokens, and a heap of the pairs that merge. Overwrites `ids`. */
export function mergeByHeap(ids: Int32Array, table: MergeTable): Int32Array {
  const length = ids.length;
  const next = new Int32Array(length).map((_, i) => i + 1);
  const previous = new Int32Array(length).map((_, i) => i - 1);
  const heap = new NumberHeap();

  const offer = (position: number) => {
    const rank = table.rankOf(ids[position]!, ids[next[position]!]!);
    if (rank !== NO_RANK) heap.push(rank * POSITIONS + position);
  };
  for (let i = 0; i + 1 < length; i++) offer(i);

  while (heap.size > 0) {
    const entry = heap.pop();
    const rank = Math.floor(entry / POSITIONS);
    const position = entry - rank * POSITIONS;
    const right = next[position]!;
    // The pair may be gone: one of its tokens may have been merged with its other neighbour.
    if (ids[position] === GONE || right === length || table.rankOf(ids[position]!, ids[right]!) !== rank) continue;

    ids[position] = table.resultOf(rank);
    ids[right] = GONE;
    const following = next[right]!;
    next[position] = following;
    if (following < length) {
      previous[following] = position;
      offer(position);
    }
    if (position > 0) offer(previous[position]!);
  }
  // Not filter, which collects what it keeps in an ordinary array.
  let kept = 0;
  for (const id of ids) if (id !== GONE) ids[kept++] = id;
  return ids.slice(0, kept);
}
