import type { Text } from "./language-model.ts";
import { expectIterable } from "./options.ts";
import type { Tokenizer } from "./tokenizer/tokenizer.ts";

/** The tokens of a text that the function `of` was given. */
export function idsOf(of: string, tokenizer: Tokenizer, text: Text): readonly number[] {
  if (typeof text === "string") return tokenizer.encode(text);
  return Array.from(expectIterable(of, "a text, or an array of token ids", text));
}
