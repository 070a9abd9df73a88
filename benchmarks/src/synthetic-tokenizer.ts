/** A tokenizer for checkpoints without one: ids are what is measured, but scores contain the texts of their tokens. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Tokenizer } from "@gpt2-ts/gpt2";

const BYTES = 256;
const END_OF_TEXT = "<|endoftext|>";

export function syntheticTokenizer(size: number): Tokenizer {
  return Tokenizer.fromVocab(syntheticVocabulary(size));
}

/** `size` tokens: each byte, then pairs of bytes, each by a merge, then `<|endoftext|>`. */
export function syntheticVocabulary(size: number): { readonly vocab: string; readonly merges: string } {
  const symbols = byteSymbols();
  const pairs = Array.from({ length: Math.max(0, size - 1 - BYTES) }, (_, pair) => {
    return [symbols[Math.floor(pair / BYTES)]!, symbols[pair % BYTES]!];
  });
  const tokens = [...symbols.slice(0, size - 1), ...pairs.map((pair) => pair.join("")), END_OF_TEXT];
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  return { vocab: JSON.stringify(vocab), merges: pairs.map((pair) => `${pair.join(" ")}\n`).join("") };
}

/** Puts the vocabulary into a model folder, which then loads as those of the Hub do. */
export async function writeSyntheticVocabulary(folder: string): Promise<void> {
  const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8")) as { readonly vocab_size: number };
  const { vocab, merges } = syntheticVocabulary(config.vocab_size);
  await writeFile(join(folder, "vocab.json"), vocab);
  await writeFile(join(folder, "merges.txt"), merges);
}

/** GPT-2's printable stand-ins for bytes: Latin-1 characters for themselves, the others from U+0100 on. */
function byteSymbols(): string[] {
  let others = 0;
  return Array.from({ length: BYTES }, (_, byte) => {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
    return String.fromCharCode(printable ? byte : 0x100 + others++);
  });
}
