/** The table of `bench:batch`. */
import type { BatchResult } from "../batch/result.ts";
import type { ProcessorResults } from "../results-file.ts";
import { byProcessor, figure, provenance, times } from "./figures.ts";
import { table } from "./markdown.ts";

/** Every number of texts in every dtype, on the newest Node of each processor. */
export function batchTable(all: readonly ProcessorResults<BatchResult>[]): string | undefined {
  return byProcessor(all, (results) => {
    const newest = results.at(-1);
    return newest === undefined ? [] : [ratesTable(newest), provenance(newest)];
  });
}

function ratesTable({ cases }: BatchResult): string {
  const counts = [...new Set(cases.map(({ texts }) => texts))];
  const dtypes = [...new Set(cases.map(({ dtype }) => dtype))];
  const head = ["texts together", ...dtypes.flatMap((dtype) => [dtype, "of one after another"])];
  const rows = counts.map((count) => [
    String(count),
    ...dtypes.flatMap((dtype) => {
      const found = cases.find((one) => one.texts === count && one.dtype === dtype);
      const ours = found?.comparison.measured[0];
      const ratio = found?.comparison.ratios[0]?.ratio;
      return [ours ? figure(ours.median, "tokens/s") : "", ratio ? times(ratio) : ""];
    }),
  ]);
  return table(head, rows);
}
