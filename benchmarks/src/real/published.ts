/** A model's own results beside the published ones. */
import type { GPT2 } from "@gpt2-ts/gpt2";
import { ErrorMeter } from "../reference-values.ts";
import type { Published, PublishedPrompt } from "./reference.ts";
import type { GreedyResult, PromptResult } from "./result.ts";

/** The last logits of every prompt. The published ids are run, whatever the tokenizer makes of the text. */
export async function comparePrompts(
  model: GPT2,
  { prompts }: Published,
  signal: AbortSignal,
): Promise<PromptResult[]> {
  const results: PromptResult[] = [];
  for (const prompt of prompts) {
    using context = model.context();
    const logits = await context.append(prompt.ids, { signal });
    const { max, rms } = new ErrorMeter()
      .add(
        prompt.tokens.map((token) => logits[token]!),
        prompt.logits,
      )
      .summary();
    results.push({
      text: prompt.text,
      sameIds: model.tokenizer.encode(prompt.text).join() === prompt.ids.join(),
      max,
      rms,
      sameLikeliest: sameTokens(logits, prompt),
    });
  }
  return results;
}

/** The greedy continuations, as far as they agree. */
export async function compareGreedy(model: GPT2, { greedy }: Published, signal: AbortSignal): Promise<GreedyResult[]> {
  const results: GreedyResult[] = [];
  for (const { prompt, promptIds, ids } of greedy) {
    const options = { maxTokens: ids.length, temperature: 0, stopAtEndOfText: false, signal };
    const generated = await model.generate(promptIds, options);
    const different = ids.findIndex((id, i) => generated.ids[i] !== id);
    results.push({
      text: prompt,
      sameIds: model.tokenizer.encode(prompt).join() === promptIds.join(),
      tokens: ids.length,
      agreed: different === -1 ? ids.length : different,
      continuation: generated.text,
    });
  }
  return results;
}

/** Whether the likeliest tokens are the published ones. Their order is left to the logits: some differ by less than rounding does. */
function sameTokens(logits: Float32Array, { likeliest }: PublishedPrompt): boolean {
  const order = Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]!);
  const most = new Set(order.slice(0, likeliest.length));
  return likeliest.every((token) => most.has(token));
}
