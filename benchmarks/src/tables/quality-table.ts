/** The table of `bench:quality`. */
import type { QualityResult } from "../quality/result.ts";
import { newest, type ProcessorResults } from "../results-file.ts";
import { provenance } from "./figures.ts";
import { table } from "./markdown.ts";

/** The newest run: results depend neither on the engine nor on the processor. */
export function qualityTable(all: readonly ProcessorResults<QualityResult>[]): string | undefined {
  const shown = newest(all).at(-1);
  if (shown === undefined) return undefined;
  const head = [
    "model",
    "text",
    "dtype",
    "cache",
    "positions",
    "logits max",
    "RMS",
    "mean KL, nats",
    "max KL",
    "top-1",
    "perplexity",
    "change",
  ];
  const rows = shown.errors.map((errors) => {
    const change = 100 * (errors.perplexity / errors.basePerplexity - 1);
    return [
      errors.model,
      errors.text,
      errors.dtype,
      errors.cacheDtype,
      String(errors.positions),
      ...[errors.maxError, errors.rmsError, errors.meanKl, errors.maxKl].map((value) => value.toExponential(1)),
      `${(100 * errors.top1).toFixed(1)} %`,
      errors.perplexity.toPrecision(5),
      `${change >= 0 ? "+" : ""}${change.toFixed(2)} %`,
    ];
  });
  return [table(head, rows), provenance(shown)].join("\n\n");
}
