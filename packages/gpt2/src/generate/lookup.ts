import type { Model } from "../model/model.ts";
import { type PassCost, passCostOf } from "./pass-costs.ts";

/** Proposes tokens that a text might go on with. */
export interface Drafter {
  /** Tells it the next token of the text. */
  push(id: number): void;
  /** At most `most` tokens that might come next; none where guessing would not pay. */
  draft(most: number): readonly number[];
}

/** How well guessing went. Each accepted token saved a pass. */
export interface Speculation {
  /** Tokens that were guessed, and that a pass took along. */
  readonly drafted: number;
  /** Those of them that the output has. */
  readonly accepted: number;
}

/** Tokens worth comparing: of longer matches, hardly one more goes on as before. */
const LONGEST = 8;
/** Earlier places that are compared, the latest first. */
const MOST_PLACES = 16;
/** The most tokens of a draft: with the token before it they are eight rows, two tiles of a matrix product. */
const MOST_DRAFTED = 7;
/** How much the last guess counts in a hit rate, against all before it. */
const WEIGHT = 1 / 12;
/** A draft has to promise so many times the tokens for the time: what it promises is an estimate. */
const LEAST_GAIN = 1.05;
/** Above any token id, so that two ids make one safe integer. */
const ID_LIMIT = 2 ** 26;

/** A place where the text stood as it does at its end. */
interface Match {
  /** Index of the token that came next there. */
  readonly next: number;
  /** How many tokens before it are the same, at most {@link LONGEST}. */
  readonly length: number;
}

/**
 * Guesses that a text goes on as it did the last time that it stood like this: prompt lookup decoding (Saxena, 2023). A guess is
 * made for every token, drafted or not, and found true or not once the token is there; how often matches of a length were right
 * in this text decides how many tokens are drafted. A text that does not repeat itself so pays for no draft.
 */
export class PromptLookup implements Drafter {
  readonly #ids: number[] = [];
  /** For each pair of tokens, the index behind its last occurrence. */
  readonly #latest = new Map<number, number>();
  /** For each index, the one behind the occurrence before of the pair that ends there; 0 for none. */
  readonly #before: number[] = [0];
  /** How often the guess was right, by the length of the match. */
  readonly #hitRates = Array.from({ length: LONGEST + 1 }, (_, length) => length / (LONGEST + 4));
  readonly #costOf: PassCost;
  #match: Match | undefined;
  #pending: readonly number[] = [];
  #drafted = 0;
  #accepted = 0;

  /** @param ids the text so far */
  constructor(ids: Iterable<number>, costOf: PassCost) {
    this.#costOf = costOf;
    for (const id of ids) this.push(id);
  }

  get statistics(): Speculation {
    return { drafted: this.#drafted, accepted: this.#accepted };
  }

  push(id: number): void {
    if (this.#match) {
      const { next, length } = this.#match;
      const hit = this.#ids[next] === id ? 1 : 0;
      this.#hitRates[length]! += (hit - this.#hitRates[length]!) * WEIGHT;
    }
    const [expected, ...others] = this.#pending;
    this.#pending = expected === id ? others : [];
    if (expected === id) this.#accepted++;

    this.#ids.push(id);
    const end = this.#ids.length;
    const pair = end < 2 ? undefined : this.#ids[end - 2]! * ID_LIMIT + id;
    this.#before.push((pair !== undefined && this.#latest.get(pair)) || 0);
    if (pair !== undefined) this.#latest.set(pair, end);
    this.#match = this.#longestMatch();
  }

  draft(most: number): readonly number[] {
    if (!this.#match) return [];
    const { next, length } = this.#match;
    const period = this.#ids.length - next; // where the text ends, the guess repeats itself
    let reached = 1; // probability that all tokens up to here are right
    let tokens = 1; // expected of the pass
    let best = { count: 0, gain: LEAST_GAIN };
    for (let count = 1; count <= Math.min(most, MOST_DRAFTED); count++) {
      reached *= this.#hitRates[Math.min(length + count - 1, LONGEST)]!;
      tokens += reached;
      const gain = tokens / this.#costOf(1 + count);
      if (gain > best.gain) best = { count, gain };
    }
    this.#pending = Array.from({ length: best.count }, (_, i) => this.#ids[next + (i % period)]!);
    this.#drafted += best.count;
    return this.#pending;
  }

  /** Of the earlier places where the text's last two tokens stand, the one with the most tokens in common; the latest of these. */
  #longestMatch(): Match | undefined {
    const ids = this.#ids;
    let best: Match | undefined;
    let next = this.#before[ids.length]!;
    for (let places = 0; next > 0 && places < MOST_PLACES; places++) {
      let length = 0;
      while (length < LONGEST && length < next && ids[next - 1 - length] === ids[ids.length - 1 - length]) length++;
      if (length >= 2 && length > (best?.length ?? 0)) best = { next, length };
      if (length === LONGEST) break;
      next = this.#before[next]!;
    }
    return best;
  }
}

/** Guesses for a text that `model` goes on with. */
export function lookupFor(model: Model, ids: readonly number[]): PromptLookup {
  return new PromptLookup(ids, passCostOf(model));
}
