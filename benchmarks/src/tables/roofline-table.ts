/** The tables of `bench:roofline`. */

import type { ProcessorResults } from "../results-file.ts";
import { limitsOf, percent, sortedRows, timeOf } from "../roofline/print.ts";
import {
  ROOFLINE_PARTS,
  type RooflinePart,
  type RooflinePass,
  type RooflineResult,
  type RooflineRow,
} from "../roofline/result.ts";
import { show } from "../speed/compare.ts";
import { byProcessor, provenance } from "./figures.ts";
import { table } from "./markdown.ts";

/** What the newest Node of each processor spends its time on, part by part, all dtypes side by side. */
export function rooflineTable(all: readonly ProcessorResults<RooflineResult>[]): string | undefined {
  return byProcessor(all, (results) => {
    const newest = results.at(-1);
    const parts = ROOFLINE_PARTS.flatMap((name) => newest?.parts[name] ?? []);
    return parts.flatMap((part) => [partTable(part), limitsOf(part), provenance(part)]);
  });
}

function partTable({ title, passes, disturbed }: RooflinePart): string {
  const { noticed, others } = sortedRows(passes);
  const marked = disturbed > 0;
  const head = [marked ? `${title} †` : title, "shape", "calls", "Mop"];
  const line = (name: string, of: (pass: RooflinePass) => readonly [took: string, reached: string]): string[] => [
    ...[name, "", "", ""],
    ...passes.flatMap(of),
  ];
  const rows = [
    ...noticed.map((i) => {
      const { title, shape, calls, operations } = passes[0]!.rows[i]!;
      const measured = passes.flatMap((pass) => [took(timeOf(pass, [i]), pass), reached(pass.rows[i]!)]);
      return [title, shape, String(calls), show(operations / 1e6), ...measured];
    }),
    line("other ops", (pass) => [took(timeOf(pass, others), pass), ""]),
    line("outside ops", (pass) => [took(pass.outside.median, pass), ""]),
    line("all", ({ milliseconds, share }) => [`${show(milliseconds.median)} ms`, percent(share)]),
  ];
  const note = "† Other programs ran during some of these samples.";
  const columns = passes.flatMap(({ dtype }) => [dtype, "of its limit"]);
  return [table([...head, ...columns], rows), ...(marked ? [note] : [])].join("\n\n");
}

function took(milliseconds: number, pass: RooflinePass): string {
  return `${show(milliseconds)} ms, ${percent(milliseconds / pass.milliseconds.median)}`;
}

/** The rate that the nearer limit bounds, and how much of the limit that is. */
function reached({ limit, bytes, operations, milliseconds, share }: RooflineRow): string {
  const rate = (limit === "memory" ? bytes : operations) / 1e6 / milliseconds.median;
  return `${percent(share)}: ${show(rate)} ${limit === "memory" ? "GB/s" : "Gop/s"}`;
}
