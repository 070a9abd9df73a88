/** The table of `bench:real`. */
import type { RealResult } from "../real/result.ts";
import { provenance } from "./figures.ts";
import { table } from "./markdown.ts";

/** The newest run: results do not depend on the engine. */
export function realTable(results: readonly RealResult[]): string | undefined {
  const newest = results.at(-1);
  if (newest === undefined) return undefined;
  const { prompts, greedy, quality, tolerance } = newest;
  const logits = table(
    ["logits after", "max from the published", "RMS", "same five likeliest"],
    prompts.map(({ text, max, rms, sameLikeliest }) => [
      text,
      max.toExponential(1),
      rms.toExponential(1),
      sameLikeliest ? "yes" : "no",
    ]),
  );
  const continuations = greedy.map(
    ({ text, agreed, tokens }) =>
      `Greedy decoding after "${text}": ${agreed} of ${tokens} tokens are the published ones.`,
  );
  const dtypes = table(
    ["dtype", "cache", "text", "positions", "perplexity", "mean KL from f32, nats", "max KL", "top-1 as f32"],
    quality.map((errors) => [
      errors.dtype,
      errors.cacheDtype,
      errors.text,
      String(errors.positions),
      `${errors.perplexity.toFixed(3)} (f32: ${errors.basePerplexity.toFixed(3)})`,
      errors.meanKl.toExponential(1),
      errors.maxKl.toExponential(1),
      `${(100 * errors.top1).toFixed(1)} %`,
    ]),
  );
  return [logits, `The bound is ${tolerance}. ${continuations.join(" ")}`, dtypes, provenance(newest)].join("\n\n");
}
