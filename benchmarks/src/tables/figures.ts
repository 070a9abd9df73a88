/** Numbers as the tables show them, and where they come from. */
import type { RunConditions } from "../harness/machine.ts";
import { describeSurroundings } from "../harness/quiet.ts";
import type { Spread } from "../harness/statistics.ts";
import type { ProcessorResults } from "../results-file.ts";
import { show } from "../speed/compare.ts";
import type { Comparison } from "../speed/result.ts";

const MEGABYTE = 1e6;

export function figure(value: number, unit: Comparison["unit"]): string {
  return unit === "bytes" ? `${(value / MEGABYTE).toFixed(0)} MB` : `${show(value)} ${unit}`;
}

/** A ratio with its range; better for ours in bold. */
export function times({ median, min, max }: Spread): string {
  const shown = `${median.toFixed(2)}×`;
  return `${median >= 1 ? `**${shown}**` : shown} (${min.toFixed(2)}–${max.toFixed(2)})`;
}

/** Under every table: the command that made it, where and when. */
export function provenance(run: {
  readonly command: string;
  readonly conditions: RunConditions;
  readonly threads?: number;
}): string {
  const { machine, node, date, loadAverage, surroundings } = run.conditions;
  const threads = run.threads === undefined ? [] : [`${run.threads} threads each`];
  const facts = [
    `\`${run.command}\``,
    `Node ${node}`,
    ...threads,
    `${machine.cpu} (${machine.cores} cores, ${machine.simd.join(", ")}), ${machine.memoryGiB} GiB, ${machine.platform}`,
    date.slice(0, 10),
    surroundings ? describeSurroundings(surroundings) : `load average at the start ${loadAverage}`,
  ];
  return `<sub>${facts.join("; ")}</sub>`;
}

/** `"24"` of what ran on Node v24.21.0. */
export function nodeMajor(run: { readonly conditions: RunConditions } | undefined): string {
  return /^v?(\d+)/.exec(run?.conditions.node ?? "")?.[1] ?? "";
}

/** One processor's sections after the other's, each under its name; undefined where there is nothing to show. */
export function byProcessor<Result>(
  all: readonly ProcessorResults<Result>[],
  sectionsOf: (results: readonly Result[]) => readonly string[],
): string | undefined {
  const sections = all.flatMap(({ processor, results }) => {
    const shown = sectionsOf(results);
    return shown.length === 0 ? [] : [`**${processor.title}**`, ...shown];
  });
  return sections.length === 0 ? undefined : sections.join("\n\n");
}
