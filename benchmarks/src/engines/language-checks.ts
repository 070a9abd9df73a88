/** Whether an engine computes GPT-2, and how exactly: held against the float64 reference. */
import { Comparison } from "../quality/measure.ts";
import { type ErrorSummary, readReference } from "../reference-values.ts";
import { type LanguageEngine, scorerOf } from "./language-engine.ts";

/** Logits against float64. */
export interface LogitQuality extends ErrorSummary {
  /** Kullback–Leibler divergence from the reference distribution, in nats, mean over positions. */
  readonly meanKl: number;
  /** Share of positions with the same most likely token as the reference. */
  readonly top1: number;
}

/** How the logits of the reference prompts of at most `maxLength` tokens differ from float64. */
export async function logitQuality(engine: LanguageEngine, model: string, maxLength: number): Promise<LogitQuality> {
  const comparison = new Comparison();
  for (const { ids, positions, logits } of await readReference(model)) {
    if (ids.length > maxLength) continue;
    const sequence = engine.start();
    const all = await sequence.forward(ids);
    const vocab = all.length / ids.length;
    for (const [row, position] of positions.entries()) {
      const expected = logits.subarray(row * vocab, (row + 1) * vocab);
      comparison.add(expected, all.subarray(position * vocab, (position + 1) * vocab), undefined);
    }
    sequence.dispose();
  }
  const { maxError: max, rmsError: rms, meanKl, top1 } = comparison.summary();
  return { max, rms, meanKl, top1 };
}

/** The largest difference, in nats a token, of the scores of the reference prompts of 2 to `maxLength` tokens. */
export async function scoreError(engine: LanguageEngine, model: string, maxLength: number): Promise<number> {
  const prompts = (await readReference(model)).filter(({ ids }) => ids.length > 1 && ids.length <= maxLength);
  const scores = await scorerOf(engine)(prompts.map(({ ids }) => ids));
  const errors = prompts.map(({ logprobs }, i) => {
    const expected = logprobs.reduce((sum, logprob) => sum + logprob, 0);
    return Math.abs((scores[i] ?? Number.NaN) - expected) / logprobs.length;
  });
  return errors.every((error) => error >= 0) ? Math.max(...errors) : Number.NaN;
}
