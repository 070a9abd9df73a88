/** The files that say how a model's texts become ids. A model has the first, or the two after it; the others say more of them. */
export const TOKENIZER_FILES = [
  "tokenizer.json",
  "vocab.json",
  "merges.txt",
  "added_tokens.json",
  "special_tokens_map.json",
  "tokenizer_config.json",
] as const;
