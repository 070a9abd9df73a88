import { showValue } from "@gpt2-ts/tensor/options";

/**
 * A token that is found in a text before the text is split into words, as Hugging Face `tokenizers` has it: `<|endoftext|>`, say, or
 * what a fine-tune added.
 */
export interface AddedToken {
  readonly content: string;
  /**
   * The id that a file states. The token gets the id that the vocabulary has for it, or else the next free one, as in `tokenizers`; if
   * that is another one, a warning says so.
   */
  readonly id?: number | undefined;
  /** Whether it is read in a text only if `allowedSpecial` says so; others are always read. Default false. */
  readonly special?: boolean | undefined;
  /** Only where no letter, digit or underscore is next to it. Default false. */
  readonly singleWord?: boolean | undefined;
  /** Takes the white space to its left with it. Default false. */
  readonly lstrip?: boolean | undefined;
  /** Takes the white space to its right with it. Default false. */
  readonly rstrip?: boolean | undefined;
  /** Looked for after those that are not, in what they leave. Default: for tokens that are not special. */
  readonly normalized?: boolean | undefined;
}

/** An added token with its id and all its settings. */
export type KnownToken = { readonly [Field in keyof AddedToken]-?: NonNullable<AddedToken[Field]> };

/**
 * Added tokens with the ids that `tokenizers` gives them. A content that comes twice is one token: what is said later holds, unless it
 * is left out.
 *
 * @param idOf the vocabulary's id of a token
 * @param size the vocabulary's tokens: the first free id, whatever ids they have
 * @param tell is told of a token that a file states another id of
 */
export function withIds(
  tokens: Iterable<AddedToken>,
  idOf: (token: string) => number | undefined,
  size: number,
  tell: (problem: string) => void,
): KnownToken[] {
  const byContent = new Map<string, AddedToken>();
  for (const token of tokens) {
    const earlier = byContent.get(token.content);
    const said = Object.entries(token).filter(([field, value]) => value !== undefined && !(field === "id" && earlier));
    if (token.content !== "") byContent.set(token.content, { ...earlier, ...Object.fromEntries(said) } as AddedToken);
  }
  let next = size;
  return [...byContent.values()].map(({ special = false, ...token }) => {
    const id = idOf(token.content) ?? next++;
    if (token.id !== undefined && token.id !== id) {
      tell(`the added token ${showValue(token.content)} has id ${id}, as in tokenizers, not ${token.id}`);
    }
    const { content, singleWord = false, lstrip = false, rstrip = false, normalized = !special } = token;
    return { content, id, special, singleWord, lstrip, rstrip, normalized };
  });
}
