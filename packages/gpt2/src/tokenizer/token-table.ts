import { hashKeys } from "./hash-keys.ts";

const ownKeys = hashKeys();

/**
 * As FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv), but with keys of this process: no file can bring tokens that fall into one
 * slot. The upper bits are brought down to where slots are chosen by.
 */
function hashed(hash: number, character: number, multiplier: number): number {
  const next = Math.imul(hash ^ character, multiplier);
  return next ^ (next >>> 15);
}

/** A table as another thread gets it, which has hash keys of its own. */
export interface TokenTableContents {
  readonly characters: Uint16Array;
  readonly starts: Int32Array;
  readonly ids: Float64Array;
  readonly slots: Int32Array;
  readonly size: number;
  readonly keys: readonly [first: number, multiplier: number];
}

/**
 * Texts of tokens and their ids, numbered from 0 in the order they came. A hash table over one array of characters: GPT-2's 50,257
 * tokens take 2 MB, where an object parsed from JSON and a Map of it take 20.
 */
export class TokenTable {
  #characters: Uint16Array;
  /** Where token number i begins and the one before it ends. */
  #starts: Int32Array;
  #ids: Float64Array;
  /** 1 + the number of a token, by its hash, with linear probing; 0 where there is none. */
  #slots: Int32Array;
  #size = 0;
  #keys = ownKeys;

  /** Has room for so many tokens, and so many characters in all. */
  constructor(tokens: number, characters: number) {
    this.#characters = new Uint16Array(characters);
    this.#starts = new Int32Array(tokens + 1);
    this.#ids = new Float64Array(tokens);
    let slots = 16;
    while (slots < tokens * 2) slots *= 2;
    this.#slots = new Int32Array(slots);
  }

  /** The table that another thread had. */
  static from({ characters, starts, ids, slots, size, keys }: TokenTableContents): TokenTable {
    const table = new TokenTable(0, 0);
    table.#characters = characters;
    table.#starts = starts;
    table.#ids = ids;
    table.#slots = slots;
    table.#size = size;
    table.#keys = keys;
    return table;
  }

  /** What another thread makes this table {@link TokenTable.from}. */
  contents(): TokenTableContents {
    const used = this.#starts[this.#size]!; // there may be room for many more
    return {
      characters: this.#characters.slice(0, used),
      starts: this.#starts,
      ids: this.#ids,
      slots: this.#slots,
      size: this.#size,
      keys: this.#keys,
    };
  }

  /** How many tokens there are. */
  get size(): number {
    return this.#size;
  }

  /** The id of a token; undefined if it is not there. */
  idOf(token: string): number | undefined {
    const number = this.#slots[this.#slotOf(token)]! - 1;
    return number < 0 ? undefined : this.#ids[number]!;
  }

  /** Sets a token's id. Throws a RangeError when there is no room. */
  set(token: string, id: number): void {
    const slot = this.#slotOf(token);
    const known = this.#slots[slot]! - 1;
    if (known >= 0) {
      this.#ids[known] = id;
      return;
    }
    const number = this.#size;
    const start = this.#starts[number]!;
    const end = start + token.length;
    if (number === this.#ids.length || end > this.#characters.length) throw new RangeError("the token table is full");
    for (let i = 0; i < token.length; i++) this.#characters[start + i] = token.charCodeAt(i);
    this.#starts[number + 1] = end;
    this.#ids[number] = id;
    this.#size++;
    this.#slots[slot] = this.#size;
  }

  /** The text of token number `number`. */
  textAt(number: number): string {
    let text = "";
    for (let i = this.#starts[number]!; i < this.#starts[number + 1]!; i++) {
      text += String.fromCharCode(this.#characters[i]!);
    }
    return text;
  }

  /** The id of token number `number`. */
  idAt(number: number): number {
    return this.#ids[number]!;
  }

  /** The slot that holds the token, or the free one where it belongs. */
  #slotOf(token: string): number {
    const mask = this.#slots.length - 1;
    const [first, multiplier] = this.#keys;
    let hash = first;
    for (let i = 0; i < token.length; i++) hash = hashed(hash, token.charCodeAt(i), multiplier);
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot]! - 1;
      if (number < 0 || this.#isAt(number, token)) return slot;
    }
  }

  #isAt(number: number, token: string): boolean {
    const start = this.#starts[number]!;
    if (this.#starts[number + 1]! - start !== token.length) return false;
    for (let i = 0; i < token.length; i++) if (this.#characters[start + i] !== token.charCodeAt(i)) return false;
    return true;
  }
}
