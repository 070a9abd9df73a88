/** Which engine starts first matters: so each half of the rounds has its own order. */
import type { Child } from "../harness/child.ts";
import { summarize } from "./compare.ts";
import { type Contestant, startEngine } from "./contestant.ts";
import type { Plan } from "./plan.ts";
import type { Comparison } from "./result.ts";

/**
 * Measures engines whose processes start in the order given, and again with the order reversed: the one that loads its model
 * first decodes up to 8 % more slowly for as long as it lives, whichever it is.
 *
 * @param introduce waits until the engine has its model; false if it cannot take part
 * @param measure is given the children in the order of the contestants, and the plan with its share of the rounds
 */
export async function inBothStartOrders<P extends Plan>(
  plan: P,
  contestants: readonly Contestant[],
  introduce: (child: Child) => Promise<boolean>,
  measure: (plan: P, children: readonly Child[]) => Promise<readonly Comparison[]>,
): Promise<Comparison[]> {
  let comparisons: Comparison[] | undefined;
  for (const { reversed, rounds } of startOrders(plan.schedule.rounds)) {
    const started: Child[] = [];
    const present = new Map<string, Child>();
    try {
      for (const contestant of reversed ? [...contestants].reverse() : contestants) {
        const child = startEngine(contestant, plan.node);
        started.push(child);
        if (await introduce(child)) present.set(contestant.name, child);
      }
      const children = contestants.flatMap(({ name }) => present.get(name) ?? []);
      const measured = await measure({ ...plan, schedule: { ...plan.schedule, rounds } }, children);
      comparisons = comparisons?.map((comparison, i) => pooled(comparison, measured[i]!)) ?? [...measured];
    } finally {
      await Promise.all(started.map((child) => child.close()));
    }
  }
  return comparisons ?? [];
}

/** The start orders, and how many of the rounds each has. */
export function startOrders(rounds: number): { readonly reversed: boolean; readonly rounds: number }[] {
  const some = Math.ceil(rounds / 2);
  const halves = [
    { reversed: false, rounds: some },
    { reversed: true, rounds: rounds - some },
  ];
  return halves.filter((half) => half.rounds > 0);
}

/** One comparison of the samples of two. */
export function pooled(one: Comparison, other: Comparison): Comparison {
  const { title, unit, higherIsBetter, measured } = one;
  return summarize(
    { title, unit, higherIsBetter },
    measured.map(({ engine }) => engine),
    {
      samples: measured.map(({ samples }, i) => [...samples, ...other.measured[i]!.samples]),
      repeated: one.repeated + other.repeated,
      disturbed: one.disturbed + other.disturbed,
      foreign: ((one.foreign ?? 0) + (other.foreign ?? 0)) / 2,
    },
  );
}
