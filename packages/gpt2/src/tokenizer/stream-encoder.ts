import { characterClass, LETTER, OTHER, WHITE_SPACE } from "./character-classes.ts";
import { TokenizerError } from "./errors.ts";
import { MAX_PENDING_CHARACTERS } from "./limits.ts";
import type { EncodeOptions, Tokenizer } from "./tokenizer.ts";

/** A character is two UTF-16 units at most: with so many after a place, the character there is whole. */
const UNITS_OF_CHARACTER = 2;

/**
 * Encodes a text that comes in pieces, however they are cut: files that no string can hold, a stream from the network. Joined, the
 * ids are those that `tokenizer.encode` returns for the whole text. Ids come once their words are complete, so that little is kept
 * of the text.
 *
 *     const encoder = new StreamEncoder(tokenizer);
 *     for await (const piece of pieces) write(encoder.push(piece));
 *     write(encoder.flush());
 */
export class StreamEncoder {
  readonly #tokenizer: Tokenizer;
  readonly #options: EncodeOptions;
  /** The tokens that may be found in the text before it is split into words. */
  readonly #added: readonly string[];
  /** How many UTF-16 units after a place must be known to tell whether the text may be cut there. */
  readonly #lookahead: number;
  /** What was kept and cannot be cut, and the end of it: twice the lookahead, so that both sides of a place are known there. */
  #searched = "";
  #recent = "";

  /** @throws OptionError as `tokenizer.encode` does */
  constructor(tokenizer: Tokenizer, options: EncodeOptions = {}) {
    tokenizer.encode("", options); // throws what is wrong with them
    const { allowedSpecial = "none" } = options;
    const named = typeof allowedSpecial === "string" ? allowedSpecial : [...allowedSpecial];
    this.#tokenizer = tokenizer;
    this.#options = { allowedSpecial: named };
    const onlyOthers = named === "none" || named.length === 0;
    const found = tokenizer.addedTokens.filter(({ special }) => !special || !onlyOthers);
    // Special tokens that are not read can still hide others that begin inside them.
    this.#added = (found.length === 0 ? [] : tokenizer.addedTokens).map(({ content }) => content);
    this.#lookahead = this.#added.reduce((longest, { length }) => Math.max(longest, length), UNITS_OF_CHARACTER);
  }

  /**
   * The ids that are certain with this piece of the text; often none.
   * @throws TokenizerError if no word ends, or nothing but added tokens comes, within 2^28 characters
   */
  push(text: string): number[] {
    if (this.#searched.length + this.#recent.length + text.length > MAX_PENDING_CHARACTERS) {
      throw new TokenizerError(`no word ends within ${MAX_PENDING_CHARACTERS} characters`);
    }
    const window = this.#recent + text;
    const cut = this.#lastCut(window);
    if (cut === undefined) {
      const kept = Math.max(0, window.length - 2 * this.#lookahead);
      this.#searched += window.slice(0, kept);
      this.#recent = window.slice(kept);
      return [];
    }
    const certain = this.#searched + window.slice(0, cut);
    this.#searched = "";
    this.#recent = window.slice(cut);
    return this.#tokenizer.encode(certain, this.#options);
  }

  /** The ids of what is left at the end. The encoder can be used again. */
  flush(): number[] {
    const rest = this.#searched + this.#recent;
    this.#searched = "";
    this.#recent = "";
    return this.#tokenizer.encode(rest, this.#options);
  }

  /** The last place where the text may be cut, if there is one that was not looked at before. */
  #lastCut(window: string): number | undefined {
    const first = this.#searched === "" ? 0 : this.#lookahead;
    for (let place = window.length - this.#lookahead; place > first; place--) {
      if (this.#mayCut(window, place)) return place;
    }
    return undefined;
  }

  #mayCut(text: string, place: number): boolean {
    const { splitsWords, addPrefixSpace } = this.#tokenizer;
    if (!splitsWords) return false; // all of a text is one word
    if (addPrefixSpace && text[place] !== " ") return false; // what follows must not get a space that it would not have
    return endsWord(text, place) && !this.#touchesAddedToken(text, place);
  }

  /** Whether an added token, were it read, would contain this place or stand right beside it, where its neighbours matter. */
  #touchesAddedToken(text: string, place: number): boolean {
    return this.#added.some((token) =>
      text.slice(Math.max(0, place - token.length), place + token.length).includes(token),
    );
  }
}

/**
 * Whether a word ends at this place, whatever the rest of the text is: the class of characters changes there, white space does not
 * end, and no contraction (`'s`) may go on.
 */
function endsWord(text: string, place: number): boolean {
  const before = characterClass(codePointBefore(text, place));
  const after = characterClass(text.codePointAt(place)!);
  return before !== WHITE_SPACE && before !== after && !(before === OTHER && after === LETTER);
}

/** The character that ends at a place; of a place inside a character, its first half, which is {@link OTHER} like its second. */
function codePointBefore(text: string, place: number): number {
  const pair = place > 1 ? text.codePointAt(place - 2)! : 0;
  return pair > 0xffff ? pair : text.charCodeAt(place - 1);
}
