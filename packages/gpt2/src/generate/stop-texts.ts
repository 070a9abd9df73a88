import { OptionError, showValue } from "@gpt2-ts/tensor/options";

/**
 * Looks for stop texts in a text that arrives in pieces. What could still become one is held back, so that no part of a stop text
 * gets through, however the pieces are cut.
 */
export class StopTexts {
  readonly #texts: readonly string[];
  #held = "";
  #found = false;

  /** Throws an {@link OptionError} for an empty stop text, or one with half a character (a lone surrogate). */
  constructor(texts: readonly string[]) {
    for (const text of texts) {
      if (typeof text !== "string" || text === "" || /\p{Surrogate}/u.test(text)) {
        throw new OptionError("stop", `expected texts of at least one character, got ${showValue(text)}`);
      }
    }
    this.#texts = texts;
  }

  /** Whether a stop text is complete. Neither it nor what follows gets through. */
  get found(): boolean {
    return this.#found;
  }

  /** The text that gets through with `piece`. */
  push(piece: string): string {
    if (this.#found) return "";
    const text = this.#held + piece;
    const cut = this.#firstCompleted(text);
    this.#found = cut !== undefined;
    const end = cut ?? text.length - this.#possibleStart(text);
    this.#held = this.#found ? "" : text.slice(end);
    return text.slice(0, end);
  }

  /** The text that was held back, once no more will come. */
  flush(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }

  /** Where the stop text begins that is complete first; of those that end together, the longest. */
  #firstCompleted(text: string): number | undefined {
    let start: number | undefined;
    let end = Number.POSITIVE_INFINITY;
    for (const stop of this.#texts) {
      const at = text.indexOf(stop);
      if (at < 0 || at + stop.length > end) continue;
      if (at + stop.length < end || at < start!) start = at;
      end = at + stop.length;
    }
    return start;
  }

  /** Length of the longest suffix of `text` that a stop text begins with. */
  #possibleStart(text: string): number {
    const longest = Math.max(0, ...this.#texts.map((stop) => stop.length - 1));
    for (let length = Math.min(longest, text.length); length > 0; length--) {
      const end = text.slice(text.length - length);
      if (this.#texts.some((stop) => stop.startsWith(end))) return length;
    }
    return 0;
  }
}
