import type { WarningListener } from "../warning.ts";
import type { AddedToken } from "./added-token.ts";

/** What the other files of a model say about its tokenizer. */
export interface TokenizerSettings {
  /** Tokens besides those of the vocabulary. What they say of one that is there already holds. */
  readonly addedTokens?: readonly AddedToken[] | undefined;
  /** Whether a space is put before a text that does not begin with one. Default: what tokenizer.json says, or else false. */
  readonly addPrefixSpace?: boolean | undefined;
  /**
   * The token that ends a text. If it is given, it, `startOfText` and `<|endoftext|>` are special wherever the vocabulary has them.
   * Default `<|endoftext|>`.
   */
  readonly endOfText?: string | undefined;
  /** The token that an empty prompt stands for. Default: `<|endoftext|>`, or else the one that ends a text. */
  readonly startOfText?: string | undefined;
  /** Told of what a user should know: bytes without a token, say. Default: `console.warn`. */
  readonly onWarning?: WarningListener | undefined;
}

/** The contents of a model folder's vocab.json and merges.txt. */
export interface TokenizerFiles extends TokenizerSettings {
  /** vocab.json, as text or parsed: token → id, tokens written in byte symbols ("Ġthe" is " the"). */
  readonly vocab: string | Readonly<Record<string, number>>;
  /** merges.txt: one pair of tokens per line, in the order of merging, perhaps after a `#version` line. */
  readonly merges: string;
  /** Special tokens and their ids, in the vocabulary or right after it; `<|endoftext|>` is one wherever the vocabulary has it. */
  readonly specialTokens?: Readonly<Record<string, number>> | undefined;
  /** How error messages name the two files. Default: "vocab.json" and "merges.txt". */
  readonly fileNames?: { readonly vocab: string; readonly merges: string } | undefined;
}

/** How a tokenizer.json is read. */
export interface TokenizerJsonOptions extends TokenizerSettings {
  /** How error messages name the file. Default: "tokenizer.json". */
  readonly fileName?: string | undefined;
}

export const settingNames = ["addedTokens", "addPrefixSpace", "endOfText", "startOfText", "onWarning"] as const;
