/** The table of `bench:scaling`. */
import type { ProcessorResults } from "../results-file.ts";
import type { ScalingGroup, ScalingResult } from "../scaling/result.ts";
import { byProcessor, figure, provenance } from "./figures.ts";
import { table } from "./markdown.ts";

const BILLION = 1e9;
const SECONDS_PER_HOUR = 3600;

/** Every way to score, with what a billion tokens take that way, on the newest Node of each processor. */
export function scalingTable(all: readonly ProcessorResults<ScalingResult>[]): string | undefined {
  return byProcessor(all, (results) => {
    const newest = results.at(-1);
    return newest === undefined ? [] : [costsTable(newest), provenance(newest)];
  });
}

function costsTable({ groups, lines, tokensPerLine }: ScalingResult): string {
  const head = [
    `GPT-2’s 124M shape, ${lines} lines of ${tokensPerLine} tokens`,
    "tokens/s",
    "a core",
    "memory, at most",
    "core hours for 10⁹ tokens",
  ];
  return table(head, groups.flatMap(rowsOf));
}

function rowsOf({ dtype, cases, comparison }: ScalingGroup): string[][] {
  return cases.map(({ jobs, threads, peakBytes }, i) => {
    const { median } = comparison.measured[i]!;
    const perCore = median / (jobs * threads);
    return [
      `${dtype}, \`--jobs ${jobs} --threads ${threads}\``,
      median.toFixed(0),
      perCore.toFixed(0),
      figure(peakBytes.max, "bytes"),
      (BILLION / perCore / SECONDS_PER_HOUR).toFixed(0),
    ];
  });
}
