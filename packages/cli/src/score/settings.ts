import { createHash } from "node:crypto";
import type { LanguageModel } from "@gpt2-ts/gpt2";
import { flagOf } from "../report.ts";
import type { Field } from "./fields.ts";

/** What decides which bytes are written for a line. */
export interface Settings {
  /** Tells models, and how they compute, apart: {@link modelDigest}. */
  readonly model: string;
  readonly fields: readonly Field[];
  readonly top: number | null;
  readonly stride: number | null;
  readonly specialTokens: boolean;
  readonly resultKey: string | null;
  readonly onError: string;
}

/** Tokens whose log-probabilities tell models apart, and how many of the likeliest in each place. */
const PROBE_LENGTH = 16;
const PROBE_TOP = 8;
/** A text that tells tokenizers apart. */
const PROBE_TEXT = " Whoever reads 1234 words, naïve or not, don't  forget:\n漢字 🙂 are<|endoftext|>text too!";

/** Differs where weights, config, dtype, device or the tokenizer make any difference to the bits of a few log-probabilities. */
export async function modelDigest(model: LanguageModel): Promise<string> {
  const { tokenizer, config } = model;
  const unknown = new Set(tokenizer.idsWithoutToken(config.vocabSize));
  const length = Math.min(PROBE_LENGTH, config.nPositions);
  const ids = Array.from({ length }, (_, i) => ((i + 1) * 7919) % config.vocabSize).filter((id) => !unknown.has(id));
  const { logprobs, alternatives } = await model.score(ids, { top: PROBE_TOP });
  const seen = [logprobs, alternatives, tokenizer.encode(PROBE_TEXT), config.nPositions];
  return createHash("sha256").update(JSON.stringify(seen)).digest("hex");
}

/** Why something made with `before` cannot be gone on with under `now`; undefined if it can. */
export function difference(before: Settings, now: Settings): string | undefined {
  for (const [name, value] of Object.entries(now)) {
    const [was, is] = [before[name as keyof Settings], value].map((each) => JSON.stringify(each));
    if (was === is) continue;
    if (name === "model") {
      return "another model made it, or another --dtype, --device or kind of machine, whose results differ in bits";
    }
    return `it was made with another --${flagOf(name)}: ${was}, now ${is}`;
  }
  return undefined;
}
