/** The table of `bench:speculate`. */
import type { SpeculateResult } from "../speculate/result.ts";
import { figure, provenance, times } from "./figures.ts";
import { table } from "./markdown.ts";

export function speculateTable(results: readonly SpeculateResult[]): string | undefined {
  const newest = results.at(-1);
  if (newest === undefined) return undefined;
  const head = ["text", "dtype", "drafted of 100 tokens", "accepted", "with, tokens/s", "without", "ratio"];
  const rows = newest.cases.map(({ what, dtype, comparison, tokens, drafted, accepted }) => {
    const share = (count: number): string => ((100 * count) / tokens).toFixed(0);
    const rates = comparison.measured.map(({ median }) => figure(median, comparison.unit));
    return [
      what,
      dtype,
      share(drafted),
      share(accepted),
      ...rates,
      ...comparison.ratios.map(({ ratio }) => times(ratio)),
    ];
  });
  return [table(head, rows), provenance(newest)].join("\n\n");
}
