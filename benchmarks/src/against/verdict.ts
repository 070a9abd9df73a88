/** What the measurements say: a table, and the quantities that became worse. */

import { show } from "../speed/compare.ts";
import type { Comparison } from "../speed/result.ts";
import { table } from "../tables/markdown.ts";
import type { Measurement } from "./result.ts";

/** Base, new and how much better new is: the median of the ratios of each pair, and their range. */
export function againstTable(measurements: readonly Measurement[]): string {
  const rows = measurements.map(({ dtype, comparison }) => {
    const [current, base] = comparison.measured;
    const { ratio } = onlyRatio(comparison);
    return [
      `${dtype === undefined ? "" : `${dtype}, `}${comparison.title}`,
      `${amount(base?.median ?? Number.NaN, comparison)}`,
      `${amount(current?.median ?? Number.NaN, comparison)}`,
      ratio.median.toFixed(3),
      `${ratio.min.toFixed(3)} to ${ratio.max.toFixed(3)}`,
    ];
  });
  return table(["", "base", "new", "ratio", "of the pairs"], rows);
}

/** The quantities whose median ratio is below the floor, or is no number. Peaks of memory are told, not judged. */
export function belowFloor(measurements: readonly Measurement[], floor: number): string[] {
  return measurements.flatMap(({ part, dtype, comparison }) => {
    if (part !== "bundle" && comparison.unit === "bytes") return [];
    const { median } = onlyRatio(comparison).ratio;
    if (median >= floor) return [];
    return [`${dtype === undefined ? "" : `${dtype}, `}${comparison.title}: ${median.toFixed(3)}`];
  });
}

function onlyRatio({ title, ratios }: Comparison): Comparison["ratios"][number] {
  const [ratio] = ratios;
  if (ratio === undefined || ratios.length !== 1) throw new Error(`${title}: not a comparison of two builds`);
  return ratio;
}

function amount(value: number, { unit }: Comparison): string {
  return unit === "bytes" ? `${show(value / 1000)} kB` : `${show(value)} ${unit}`;
}
