/** What `bench:real` finds, and writes to `results/<processor>/real-node*.json`. */
import type { RunConditions } from "../harness/machine.ts";
import type { QualityErrors } from "../quality/result.ts";
import type { Published } from "./reference.ts";

/** A prompt beside its published logits. */
export interface PromptResult {
  readonly text: string;
  /** Whether the tokenizer gives the published ids. */
  readonly sameIds: boolean;
  /** The largest and the root-mean-square difference of a logit. */
  readonly max: number;
  readonly rms: number;
  /** Whether the likeliest tokens are the published ones. */
  readonly sameLikeliest: boolean;
}

/** A greedy continuation beside the published one. */
export interface GreedyResult {
  readonly text: string;
  readonly sameIds: boolean;
  readonly tokens: number;
  /** Tokens before the first that differs. */
  readonly agreed: number;
  readonly continuation: string;
}

export interface RealFigures {
  readonly model: string;
  readonly prompts: readonly PromptResult[];
  readonly greedy: readonly GreedyResult[];
  /** Of each dtype against float32, on running text. */
  readonly quality: readonly QualityErrors[];
}

export interface RealResult extends RealFigures {
  readonly kind: "real";
  readonly command: string;
  readonly conditions: RunConditions;
  readonly tolerance: number;
}

/** What is not as published, a sentence each. The perplexity has no published value: its range only tells language from noise. */
export function disagreements({ prompts, greedy, quality }: RealFigures, { tolerance, loss }: Published): string[] {
  const lines: string[] = [];
  for (const { text, sameIds, max, sameLikeliest } of prompts) {
    const where = `after ${JSON.stringify(text)}`;
    if (!sameIds) lines.push(`the tokenizer gives other ids for ${JSON.stringify(text)}`);
    if (!(max <= tolerance))
      lines.push(`${where}: a logit is ${max.toPrecision(3)} from the published one, above ${tolerance}`);
    if (!sameLikeliest) lines.push(`${where}: other tokens are the likeliest`);
  }
  for (const { text, sameIds, tokens, agreed } of greedy) {
    if (!sameIds) lines.push(`the tokenizer gives other ids for ${JSON.stringify(text)}`);
    if (agreed < tokens)
      lines.push(`after ${JSON.stringify(text)}: greedy decoding differs at token ${agreed + 1} of ${tokens}`);
  }
  for (const { text, basePerplexity } of quality.slice(0, 1)) {
    const nats = Math.log(basePerplexity);
    if (nats >= loss.least && nats <= loss.most) continue;
    lines.push(`${text}: ${nats.toFixed(2)} nats a token, where a language model has ${loss.least} to ${loss.most}`);
  }
  return lines;
}
