/** The table of `bench:speculate`. */
import type { ProcessorResults } from "../results-file.ts";
import type { SpeculateResult } from "../speculate/result.ts";
import { byProcessor, figure, provenance, times } from "./figures.ts";
import { table } from "./markdown.ts";

/** Every text in every dtype, on the newest Node of each processor. */
export function speculateTable(all: readonly ProcessorResults<SpeculateResult>[]): string | undefined {
  return byProcessor(all, (results) => {
    const newest = results.at(-1);
    return newest === undefined ? [] : [casesTable(newest), provenance(newest)];
  });
}

function casesTable({ cases }: SpeculateResult): string {
  const head = ["text", "dtype", "drafted of 100 tokens", "accepted", "with", "without", "ratio"];
  const rows = cases.map(({ what, dtype, comparison, tokens, drafted, accepted }) => {
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
  return table(head, rows);
}
