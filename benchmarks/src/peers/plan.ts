/** How much `bench:peers` measures: the quantities of `bench:speed`, and texts to score. */
import { type Plan, planFor } from "../speed/plan.ts";
import { lowbias32 } from "../synthetic.ts";

export interface PeersPlan extends Plan {
  /** Tokens of each text that is scored. */
  readonly textLengths: readonly number[];
}

const TEXTS = 200;
const QUICK_TEXTS = 20;
const SHORTEST = 4;
const LONGEST = 64;

export function peersPlanFor(node: string, quick: boolean): PeersPlan {
  const plan = planFor(node, quick);
  const schedule = quick ? { ...plan.schedule, rounds: 1 } : plan.schedule;
  return { ...plan, schedule, prefill: [512], textLengths: mixedLengths(quick ? QUICK_TEXTS : TEXTS) };
}

/** Log-uniform between the shortest and the longest, unordered: many short texts, a few long ones. */
export function mixedLengths(count: number): number[] {
  return Array.from({ length: count }, (_, i) =>
    Math.round(SHORTEST * (LONGEST / SHORTEST) ** (lowbias32(i) / 2 ** 32)),
  );
}
