/** A part as lines of text, and what its table in the documents has in common with them. */
import { show } from "../speed/compare.ts";
import type { RooflinePart, RooflinePass } from "./result.ts";

/** Rows below this share of the time in all passes share one line. */
const NOTICED = 0.003;
const HEAD = ["", "shape", "calls", "ms", "of time", "MB", "Mop", "GB/s", "Gop/s", "limit", "of limit"];

/** Numbers of the rows that are shown, the slowest of the first pass on top, and of those that are summed up. */
export function sortedRows(passes: readonly RooflinePass[]): { noticed: number[]; others: number[] } {
  const time = (pass: RooflinePass, i: number): number => pass.rows[i]!.milliseconds.median;
  const all = [...(passes[0]?.rows ?? []).keys()];
  const noticed = all.filter((i) => passes.some((pass) => time(pass, i) >= NOTICED * pass.milliseconds.median));
  const others = all.filter((i) => !noticed.includes(i));
  return { noticed: noticed.toSorted((a, b) => time(passes[0]!, b) - time(passes[0]!, a)), others };
}

/** Milliseconds of some rows together. */
export function timeOf({ rows }: RooflinePass, numbers: readonly number[]): number {
  return numbers.reduce((sum, i) => sum + rows[i]!.milliseconds.median, 0);
}

export function limitsOf({ limits, threads }: RooflinePart): string {
  const { memory, arithmetic } = limits;
  return (
    `The limits in the same rounds, on ${threads} threads: ${show(memory.median)} GB/s read, ` +
    `${show(arithmetic.f32.median)} Gflop/s, ${show(arithmetic.int8.median)} Gop/s of integers.`
  );
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
}

export function printPart(part: RooflinePart): void {
  const { title, passes, disturbed } = part;
  console.log(`\n${title}\n${limitsOf(part)}`);
  if (disturbed > 0) console.log(`Other programs ran during ${disturbed} samples that count nevertheless.`);
  for (const pass of passes) {
    const { median, min, max } = pass.milliseconds;
    console.log(`\n${pass.dtype}: ${show(median)} ms (${show(min)} to ${show(max)})`);
    const lines = [HEAD, ...linesOf(pass, sortedRows(passes))];
    const widths = HEAD.map((_, column) => Math.max(...lines.map((cells) => cells[column]!.length)));
    const pad = (text: string, column: number): string =>
      column <= 1 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!);
    for (const cells of lines) console.log(`  ${cells.map(pad).join("  ")}`.trimEnd());
  }
}

function linesOf(pass: RooflinePass, { noticed, others }: ReturnType<typeof sortedRows>): string[][] {
  const { rows, milliseconds, outside, share } = pass;
  const total = milliseconds.median;
  const time = (ms: number): string[] => [show(ms), percent(ms / total)];
  const amounts = (bytes: number, operations: number, ms: number): string[] =>
    [bytes / 1e6, operations / 1e6, bytes / 1e6 / ms, operations / 1e6 / ms].map(show);
  const blank = HEAD.slice(5).map(() => "");
  const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
  const operations = rows.reduce((sum, row) => sum + row.operations, 0);
  return [
    ...noticed.map((i) => {
      const row = rows[i]!;
      const { median } = row.milliseconds;
      const moved = amounts(row.bytes, row.operations, median);
      return [row.title, row.shape, String(row.calls), ...time(median), ...moved, row.limit, percent(row.share)];
    }),
    ...(others.length > 0 ? [["other ops", "", "", ...time(timeOf(pass, others)), ...blank]] : []),
    ["outside ops", "", "", ...time(outside.median), ...blank],
    ["all", "", "", ...time(total), ...amounts(bytes, operations, total), "", percent(share)],
  ];
}
