/** The table of `bench:memory`. */
import type { MemoryResult } from "../memory/result.ts";
import { newest, type ProcessorResults } from "../results-file.ts";
import { figure, provenance } from "./figures.ts";
import { table } from "./markdown.ts";

const AT = [100, 500, 1000, 2500, 5000, 10_000];

export function memoryTable(all: readonly ProcessorResults<MemoryResult>[]): string | undefined {
  const shown = newest(all).at(-1);
  if (shown === undefined) return undefined;
  const { load, curves } = shown;
  const head = ["resident memory after … generated tokens", ...AT.map(String)];
  const rows = curves.map(({ model, what, points }) => [
    `${model}: ${what}`,
    ...AT.map((tokens) => {
      const point = points.find((candidate) => candidate.tokens >= tokens);
      return point === undefined ? "" : figure(point.residentBytes, "bytes");
    }),
  ]);
  const loading =
    `Loading ${load.model} (${figure(load.weightBytes, "bytes")} of weights) peaks at ${figure(load.peakBytes, "bytes")}, ` +
    `${load.ratio.toFixed(2)} times the weights; a process that loads nothing takes ${figure(load.emptyBytes, "bytes")}.`;
  return [table(head, rows), loading, provenance(shown)].join("\n\n");
}
