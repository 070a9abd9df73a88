import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { bytesToSymbols } from "../../../src/tokenizer/byte-symbols.ts";
import { Tokenizer } from "../../../src/tokenizer/tokenizer.ts";

/** GPT-2's vocab.json and merges.txt, rebuilt from the ranks that the tiktoken package carries. */
export function gpt2Files(): { vocab: Record<string, number>; merges: string } {
  const encoder = createRequire(import.meta.url).resolve("tiktoken/encoders/gpt2.json");
  const { bpe_ranks, special_tokens }: { bpe_ranks: string; special_tokens: Record<string, number> } = JSON.parse(
    readFileSync(encoder, "utf8"),
  );
  const rankOf = new Map<string, number>(); // bytes (as Latin-1) → rank, which is the id
  for (const line of bpe_ranks.split("\n").filter((line) => line !== "")) {
    const [, first, ...tokens] = line.split(" ");
    for (const [i, token] of tokens.entries())
      rankOf.set(Buffer.from(token, "base64").toString("latin1"), Number(first) + i);
  }
  const symbols = (latin1: string) => bytesToSymbols(Buffer.from(latin1, "latin1"));
  const merges = [...rankOf].filter(([token]) => token.length > 1).map(([token, rank]) => partsOf(token, rank, rankOf));
  return {
    vocab: Object.fromEntries([
      ...[...rankOf].map(([token, rank]) => [symbols(token), rank]),
      ...Object.entries(special_tokens),
    ]),
    merges: ["#version: 0.2", ...merges.map((parts) => parts.map(symbols).join(" ")), ""].join("\n"),
  };
}

export function gpt2Tokenizer(specialTokens: Record<string, number> = {}): Tokenizer {
  return Tokenizer.fromVocab({ ...gpt2Files(), specialTokens });
}

/** The pair that a token was merged from: what is left of its bytes by the merges that came before it. */
function partsOf(token: string, rank: number, rankOf: ReadonlyMap<string, number>): string[] {
  const parts = [...token];
  while (parts.length > 2) {
    const ranks = parts.slice(1).map((part, i) => rankOf.get(parts[i]! + part) ?? Number.POSITIVE_INFINITY);
    const lowest = Math.min(...ranks);
    if (lowest >= rank) throw new Error(`token ${rank} is not made by a merge`);
    const at = ranks.indexOf(lowest);
    parts.splice(at, 2, parts[at]! + parts[at + 1]!);
  }
  return parts;
}
