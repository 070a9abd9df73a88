import type { GPT2Config } from "../model/config.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { WarningListener } from "../warning.ts";
import type { ModelSource } from "./source/index.ts";

/** Tells if tokenizer and config are for vocabularies of different sizes. */
export function compareVocabularies(
  source: ModelSource,
  tokenizer: Tokenizer,
  { vocabSize }: GPT2Config,
  onWarning: WarningListener,
): void {
  if (tokenizer.vocabSize === vocabSize) return;
  const consequence =
    tokenizer.vocabSize < vocabSize
      ? `ids from ${tokenizer.vocabSize} have no token: they decode to nothing, and are never drawn`
      : `text with the tokens from ${vocabSize} on cannot be put into the model`;
  onWarning(
    `${source.path("config.json")}: vocab_size is ${vocabSize}, but the tokenizer's is ${tokenizer.vocabSize}; ${consequence}`,
  );
}
