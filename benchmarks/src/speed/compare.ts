/** Summaries of samples taken in turns. */
import type { Child } from "../harness/child.ts";
import { interleave, type Rounds, type Schedule, type Side } from "../harness/interleave.ts";
import { pairedRatio, spread } from "../harness/statistics.ts";
import type { Comparison } from "./result.ts";

/** The side that ratios are given for. */
export const OURS = "gpt2-ts";

/** What is compared. */
export type About = Pick<Comparison, "title" | "unit" | "higherIsBetter">;

/** Takes turns between all sides, then summarizes and prints. */
export async function compare(about: About, sides: readonly Side[], schedule: Schedule): Promise<Comparison> {
  const rounds = await interleave(sides, schedule);
  const names = sides.map(({ name }) => name);
  return summarize(about, names, rounds);
}

/** A child as a side: one call of a method that answers with a number is a sample. */
export function side(child: Child, method: string, ...args: readonly unknown[]): Side {
  return {
    name: child.name,
    sample: () => child.call<number>(method, ...args),
    cpuSeconds: () => child.cpuSeconds,
  };
}

/** Medians, ranges and the ratios of ours to each other engine; printed too. `samples[i]` belongs to `engines[i]`. */
export function summarize(
  about: About,
  engines: readonly string[],
  { samples, repeated, disturbed, foreign }: Rounds,
): Comparison {
  const measured = engines.map((engine, i) => ({ engine, ...spread(samples[i] ?? []) }));
  const ours = measured.find(({ engine }) => engine === OURS)?.samples;
  const ratios = measured.flatMap(({ engine, samples: theirs }) => {
    if (ours === undefined || engine.startsWith(OURS)) return [];
    return [{ peer: engine, ratio: about.higherIsBetter ? pairedRatio(ours, theirs) : pairedRatio(theirs, ours) }];
  });
  const comparison = { ...about, measured, ratios, repeated, disturbed, foreign };
  print(comparison);
  return comparison;
}

/** Three significant digits. */
export function show(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function print({ title, unit, measured, ratios, repeated, disturbed }: Comparison): void {
  console.log(`\n${title} [${unit}]`);
  for (const { engine, median, min, max } of measured) {
    const ratio = ratios.find(({ peer }) => peer === engine)?.ratio;
    const against = ratio && `   ours / this: ${show(ratio.median)} (${show(ratio.min)} to ${show(ratio.max)})`;
    console.log(`  ${engine.padEnd(24)} ${show(median).padStart(7)}  (${show(min)} to ${show(max)})${against ?? ""}`);
  }
  if (repeated + disturbed > 0) {
    console.log(`  other programs ran: ${repeated} samples taken again, ${disturbed} counted nevertheless`);
  }
}
