/** The table of `bench:real`. */
import type { RealResult } from "../real/result.ts";
import { newest, type ProcessorResults } from "../results-file.ts";
import { provenance } from "./figures.ts";
import { table } from "./markdown.ts";

/** The newest run: results depend neither on the engine nor on the processor. */
export function realTable(all: readonly ProcessorResults<RealResult>[]): string | undefined {
  const shown = newest(all).at(-1);
  if (shown === undefined) return undefined;
  const { prompts, greedy, quality, tolerance } = shown;
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
  return [logits, `The bound is ${tolerance}. ${continuations.join(" ")}`, dtypes, provenance(shown)].join("\n\n");
}
