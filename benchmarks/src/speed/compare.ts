/** Summaries of samples taken in turns. */
import { interleave, type Schedule, type Side } from "../harness/interleave.ts";
import { pairedRatio, spread } from "../harness/statistics.ts";
import type { Comparison } from "./result.ts";

/** The side that ratios are given for. */
export const OURS = "gpt2-ts";

type About = Pick<Comparison, "title" | "unit" | "higherIsBetter">;

/** Takes turns between all sides, then summarizes and prints. */
export async function compare(about: About, sides: readonly Side[], schedule: Schedule): Promise<Comparison> {
  const samples = await interleave(sides, schedule);
  return summarize(
    about,
    sides.map(({ name }) => name),
    samples,
  );
}

/** Medians, ranges and the ratios of ours to each other engine; printed too. `samples[i]` belongs to `engines[i]`. */
export function summarize(about: About, engines: readonly string[], samples: readonly number[][]): Comparison {
  const measured = engines.map((engine, i) => ({ engine, ...spread(samples[i] ?? []) }));
  const ours = measured.find(({ engine }) => engine === OURS)?.samples;
  const ratios = measured.flatMap(({ engine, samples: theirs }) => {
    if (ours === undefined || engine.startsWith(OURS)) return [];
    return [{ peer: engine, ratio: about.higherIsBetter ? pairedRatio(ours, theirs) : pairedRatio(theirs, ours) }];
  });
  const comparison = { ...about, measured, ratios };
  print(comparison);
  return comparison;
}

/** Three significant digits. */
export function show(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function print({ title, unit, measured, ratios }: Comparison): void {
  console.log(`\n${title} [${unit}]`);
  for (const { engine, median, min, max } of measured) {
    const ratio = ratios.find(({ peer }) => peer === engine)?.ratio;
    const against = ratio && `   ours / this: ${show(ratio.median)} (${show(ratio.min)} to ${show(ratio.max)})`;
    console.log(`  ${engine.padEnd(24)} ${show(median).padStart(7)}  (${show(min)} to ${show(max)})${against ?? ""}`);
  }
}
