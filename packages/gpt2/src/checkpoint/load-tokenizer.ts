import type { TokenizerSettings } from "../tokenizer/settings.ts";
import { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { WarningListener } from "../warning.ts";
import type { ModelSource } from "./source/index.ts";
import { requiredText } from "./source/required-text.ts";
import type { SettingsFile } from "./tokenizer-settings.ts";

/**
 * Reads a model's tokenizer as Hugging Face `transformers` does: `tokenizer.json`, or if there is none `vocab.json` and `merges.txt`;
 * and what `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json` say of it.
 * `onWarning` is told of what a user should know: bytes without a token, say. Default: `console.warn`.
 *
 * @throws TokenizerError naming the file; ModelFormatError if there is no tokenizer
 */
export async function loadTokenizer(
  source: ModelSource,
  { onWarning }: { readonly onWarning?: WarningListener | undefined } = {},
): Promise<Tokenizer> {
  const [text, settings] = await Promise.all([source.text("tokenizer.json"), settingsOf(source)]);
  if (text !== undefined) {
    return Tokenizer.fromTokenizerJson(text, { ...settings, onWarning, fileName: source.path("tokenizer.json") });
  }
  const files = await Promise.allSettled(["vocab.json", "merges.txt"].map((name) => requiredText(source, name)));
  const [vocab, merges] = files.map((file) => {
    if (file.status === "rejected") throw file.reason; // of two that are missing always the first
    return file.value;
  }) as [string, string];
  const fileNames = { vocab: source.path("vocab.json"), merges: source.path("merges.txt") };
  return Tokenizer.fromVocab({ ...settings, vocab, merges, fileNames, onWarning });
}

async function settingsOf(source: ModelSource): Promise<TokenizerSettings> {
  const read = async (file: string): Promise<SettingsFile> => ({
    path: source.path(file),
    text: await source.text(file),
  });
  const [config, map, added, { readTokenizerSettings }] = await Promise.all([
    read("tokenizer_config.json"),
    read("special_tokens_map.json"),
    read("added_tokens.json"),
    import("./tokenizer-settings.ts"), // of its own, so that pages need less before they can begin to load a model
  ]);
  return readTokenizerSettings(config, map, added);
}
