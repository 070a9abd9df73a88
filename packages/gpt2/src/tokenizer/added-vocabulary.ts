import { OptionError, showValue } from "@gpt2-ts/tensor/options";
import type { KnownToken } from "./added-token.ts";
import { type TextPart, TokenMatcher } from "./token-matcher.ts";

/** Which special tokens `encode` looks for: none, all, or those named. */
export type AllowedSpecial = "none" | "all" | Iterable<string>;

/** Finds the added tokens of a tokenizer in texts. */
export class AddedVocabulary {
  readonly tokens: readonly KnownToken[];
  /** The special ones and their ids. */
  readonly special: ReadonlyMap<string, number>;
  /** Made when a text is first looked through. */
  #matchers: readonly TokenMatcher[] | undefined;
  /** Those for the special tokens that were allowed last, if it were some of them. */
  #latest: { readonly allowed: string; readonly matchers: readonly TokenMatcher[] } | undefined;

  constructor(tokens: readonly KnownToken[]) {
    this.tokens = tokens;
    this.special = new Map(tokens.filter(({ special }) => special).map(({ content, id }) => [content, id]));
  }

  /**
   * Splits a text at the tokens that are read in it, as Hugging Face `tokenizers` does.
   * @throws OptionError if one that is named is not a special token
   */
  split(text: string, allowed: AllowedSpecial): TextPart[] {
    const names = this.#named(allowed);
    if (text === "") return [];
    if (names?.length === 0 && this.special.size === this.tokens.length) return [text];
    const matchers = names === undefined || names.length === 0 ? this.#all() : this.#some(names);
    // With none allowed, special tokens are found and left as text: `encode_special_tokens` of `tokenizers`.
    const read = ({ special }: KnownToken): boolean => !special || names?.length !== 0;
    let parts: TextPart[] = [text];
    for (const matcher of matchers) {
      parts = parts.flatMap((part) => (typeof part === "number" ? [part] : matcher.split(part, read)));
    }
    return parts;
  }

  /** The special tokens that are allowed; undefined for all. */
  #named(allowed: AllowedSpecial): readonly string[] | undefined {
    if (allowed === "all") return undefined;
    if (allowed === "none") return [];
    if (typeof allowed === "string") {
      throw new OptionError("allowedSpecial", `expected "none", "all" or a list of tokens, got ${showValue(allowed)}`);
    }
    return Array.from(allowed, (token) => {
      if (this.special.has(token)) return token;
      throw new OptionError("allowedSpecial", `${showValue(token)} is not a special token`);
    });
  }

  #all(): readonly TokenMatcher[] {
    this.#matchers ??= matchersOf(this.tokens);
    return this.#matchers;
  }

  #some(names: readonly string[]): readonly TokenMatcher[] {
    const allowed = JSON.stringify(names);
    if (this.#latest?.allowed !== allowed) {
      const tokens = this.tokens.filter(({ special, content }) => !special || names.includes(content));
      this.#latest = { allowed, matchers: matchersOf(tokens) };
    }
    return this.#latest.matchers;
  }
}

/** Those that are looked for in the text as it is, and then those that are looked for in the normalized rest. */
function matchersOf(tokens: readonly KnownToken[]): TokenMatcher[] {
  return [false, true]
    .map((normalized) => tokens.filter((token) => token.normalized === normalized))
    .filter((group) => group.length > 0)
    .map((group) => new TokenMatcher(group));
}
