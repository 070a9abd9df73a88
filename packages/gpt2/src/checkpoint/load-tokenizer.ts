import { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ModelSource } from "./source/index.ts";
import { requiredText } from "./source/required-text.ts";

/** Reads the tokenizer: `vocab.json` and `merges.txt`. */
export async function loadTokenizer(source: ModelSource): Promise<Tokenizer> {
  const [vocab, merges] = [await requiredText(source, "vocab.json"), await requiredText(source, "merges.txt")];
  const fileNames = { vocab: source.path("vocab.json"), merges: source.path("merges.txt") };
  return Tokenizer.fromVocab({ vocab, merges, fileNames });
}
