import type { Logprobs } from "./model/logprobs.ts";
import type { Tokenizer } from "./tokenizer/tokenizer.ts";

/** A token that the model finds likely at some place. */
export interface Alternative {
  readonly id: number;
  /** Its text, for display, with `\xNN` for bytes that are only part of a character. */
  readonly token: string;
  /** Its natural log-probability: of the model's own distribution, before temperature and filters. */
  readonly logprob: number;
}

/** The likeliest tokens of each row, the likeliest first. */
export function alternativesOf({ top: { count, ids, logprobs } }: Logprobs, tokenizer: Tokenizer): Alternative[][] {
  const texts = tokenizer.tokens(ids);
  const rows: Alternative[][] = [];
  for (let start = 0; start < ids.length; start += count) {
    const row = texts.slice(start, start + count);
    rows.push(row.map((token, i) => ({ id: ids[start + i]!, token, logprob: logprobs[start + i]! })));
  }
  return rows;
}
