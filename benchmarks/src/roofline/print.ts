/** A part as lines of text, and the figures that its table shows too. */
import { show } from "../speed/compare.ts";
import type { RooflinePart, RooflinePass, RooflineRow } from "./result.ts";

/** What a table of a pass shows of each row. */
export const COLUMNS = ["", "shape", "calls", "ms", "share of time", "MB", "Mop", "GB/s", "Gop/s", "limit", "of limit"];

/** A row for each op that takes a noticeable share, one for all others, and the time outside ops. */
export function cellsOf({ rows, milliseconds, outside, share }: RooflinePass): string[][] {
  const total = milliseconds.median;
  const noticed = rows.filter((row) => row.milliseconds.median >= NOTICED * total);
  const others = rows.filter((row) => !noticed.includes(row));
  noticed.sort((a, b) => b.milliseconds.median - a.milliseconds.median);
  const sum = (of: readonly RooflineRow[], value: (row: RooflineRow) => number): number =>
    of.reduce((so, row) => so + value(row), 0);
  const line = (
    name: string,
    shape: string,
    of: readonly RooflineRow[],
    time: number,
    limit: string,
    reached: string,
  ) => {
    const [calls, bytes, operations] = [
      sum(of, (row) => row.calls),
      sum(of, (row) => row.bytes),
      sum(of, (row) => row.operations),
    ];
    const amounts = [bytes / 1e6, operations / 1e6, bytes / 1e6 / time, operations / 1e6 / time].map(show);
    return [name, shape, String(Math.round(calls)), show(time), percent(time / total), ...amounts, limit, reached];
  };
  const blank = COLUMNS.slice(5).map(() => "");
  return [
    ...noticed.map((row) => line(row.title, row.shape, [row], row.milliseconds.median, row.limit, percent(row.share))),
    ...(others.length > 0
      ? [
          line(
            `${others.length} others`,
            "",
            others,
            sum(others, (row) => row.milliseconds.median),
            "",
            "",
          ),
        ]
      : []),
    ["outside ops", "", "", show(outside.median), percent(outside.median / total), ...blank],
    line("all", "", rows, total, "each its own", percent(share)),
  ];
}

/** Ops below this share of the time stand in one row together. */
const NOTICED = 0.003;

export function limitsOf({ limits, threads }: RooflinePart): string {
  const { memory, arithmetic } = limits;
  return (
    `The limits in the same rounds, on ${threads} threads: ${show(memory.median)} GB/s read, ` +
    `${show(arithmetic.f32.median)} Gflop/s, ${show(arithmetic.int8.median)} Gop/s of 16-bit integers.`
  );
}

export function printPart(part: RooflinePart): void {
  console.log(`${part.title}\n${limitsOf(part)}`);
  if (part.disturbed > 0) console.log(`Other programs ran during ${part.disturbed} samples.`);
  for (const pass of part.passes) {
    const { median, min, max } = pass.milliseconds;
    console.log(`\n${pass.dtype}: ${show(median)} ms (${show(min)} to ${show(max)})`);
    const cells = [COLUMNS, ...cellsOf(pass)];
    const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
    const pad = (text: string, column: number): string =>
      column <= 1 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!);
    for (const row of cells) console.log(`  ${row.map(pad).join("  ")}`.trimEnd());
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
}
