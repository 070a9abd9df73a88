/** The tables of `bench:memory`. */
import type { MemoryCurve, MemoryResult, ProcessMemory } from "../memory/result.ts";
import { newest, type ProcessorResults } from "../results-file.ts";
import { figure, provenance } from "./figures.ts";
import { table } from "./markdown.ts";

const AT = [100, 500, 1000, 2500, 5000, 10_000];

/** From the newest Node on which each part was measured. */
export function memoryTable(all: readonly ProcessorResults<MemoryResult>[]): string | undefined {
  const parts = newest(all).map((result) => result.parts);
  const load = parts.findLast((each) => each.load !== undefined)?.load;
  const generate = parts.findLast((each) => each.generate !== undefined)?.generate;
  const sections = [
    ...(load ? [processTable(load.processes), provenance(load)] : []),
    ...(generate ? [curveTable(generate.curves), provenance(generate)] : []),
  ];
  return sections.length === 0 ? undefined : sections.join("\n\n");
}

function processTable(processes: readonly ProcessMemory[]): string {
  const head = [
    "largest resident set of a process until …",
    ...["file", "bare Node", "package imported", "model loaded", "of it tensors", "first token", "loading : file"],
  ];
  const rows = processes.map(({ model, dtype, fileBytes, bare, imported, loaded, tensors, firstToken, ratio }) => [
    `${model} ${dtype}`,
    ...[fileBytes, bare, imported, loaded, tensors, firstToken].map((bytes) => figure(bytes, "bytes")),
    ratio.toFixed(2),
  ]);
  return table(head, rows);
}

function curveTable(curves: readonly MemoryCurve[]): string {
  const head = ["resident memory after … generated tokens", ...AT.map(String)];
  const rows = curves.map(({ model, what, points }) => [
    `${model}: ${what}`,
    ...AT.map((tokens) => {
      const point = points.find((candidate) => candidate.tokens >= tokens);
      return point === undefined ? "" : figure(point.residentBytes, "bytes");
    }),
  ]);
  return table(head, rows);
}
