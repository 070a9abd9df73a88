/** A comparison on one line. */
import type { QualityErrors } from "./result.ts";

export function describeErrors({
  model,
  text,
  dtype,
  cacheDtype,
  positions,
  maxError,
  rmsError,
  meanKl,
  maxKl,
  top1,
  ...rest
}: QualityErrors): string {
  const change = 100 * (rest.perplexity / rest.basePerplexity - 1);
  return (
    `${model}, ${text}, ${dtype}, cache ${cacheDtype}: ${positions} positions, logits max ${maxError.toExponential(1)} RMS ` +
    `${rmsError.toExponential(1)}, KL mean ${meanKl.toExponential(1)} max ${maxKl.toExponential(1)}, top-1 ` +
    `${(100 * top1).toFixed(2)} %, perplexity ${rest.perplexity.toFixed(3)} (${change >= 0 ? "+" : ""}${change.toFixed(3)} %)`
  );
}
