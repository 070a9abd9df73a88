/** The parts of `bench:against`: both builds in turns, each in a process of its own, one dtype after the other. */
import type { MatrixEncoding } from "@gpt2-ts/tensor";
import type { LogitQuality } from "../engines/language-checks.ts";
import type { EngineSpec } from "../engines/language-engine.ts";
import { Child } from "../harness/child.ts";
import { untimed } from "../harness/interleave.ts";
import { checkedQuality } from "../peers/checked-quality.ts";
import type { PeersPlan } from "../peers/plan.ts";
import { measureColdStart } from "../speed/cold-start.ts";
import { OURS, summarize } from "../speed/compare.ts";
import { compareDecode, comparePrefill, compareScoring } from "../speed/comparisons.ts";
import { type Contestant, LANGUAGE_CHILD } from "../speed/language.ts";
import { decodingAt } from "../speed/plan.ts";
import type { Comparison, Facts } from "../speed/result.ts";
import type { Build } from "./build.ts";
import { bundleSize } from "./bundle.ts";
import type { AgainstPartName, Measurement } from "./result.ts";

/** The new build first: it is the one that ratios are given for. */
export interface Pair {
  readonly current: Build;
  readonly base: Build;
}

type WarmPart = Exclude<AgainstPartName, "cold" | "bundle">;

/** With every context at which decoding is measured, and how the new build keeps keys and values, if not by its default. */
export interface AgainstPlan extends PeersPlan {
  readonly decodeContexts: readonly number[];
  readonly cacheDtype: MatrixEncoding | undefined;
}

const WARM: Readonly<Record<WarmPart, (plan: AgainstPlan, children: readonly Child[]) => Promise<Comparison[]>>> = {
  prefill: (plan, children) => comparePrefill(plan, children, "of the last"),
  decode: async (plan, children) => {
    const comparisons: Comparison[] = [];
    for (const context of plan.decodeContexts)
      comparisons.push(await compareDecode(decodingAt(plan, context), children));
    return comparisons;
  },
  score: async (plan, children) => [await compareScoring(plan, children)],
};

/** Everything that is timed with weights of one dtype. */
export async function measureDtype(
  plan: AgainstPlan,
  pair: Pair,
  model: string,
  dtype: MatrixEncoding,
  parts: readonly AgainstPartName[],
): Promise<{ measurements: Measurement[]; quality: Record<string, LogitQuality> }> {
  const measurements: Measurement[] = [];
  const quality: Record<string, LogitQuality> = {};
  const add = (part: AgainstPartName, comparisons: readonly Comparison[]): void => {
    for (const comparison of comparisons) measurements.push({ part, dtype, comparison });
  };
  const { threads, node, checkpoint } = plan;
  const contestants = [
    { name: OURS, build: pair.current, ...(plan.cacheDtype && { cacheDtype: plan.cacheDtype }) },
    { name: baseName(pair), build: pair.base },
  ].map(({ name, build, ...chosen }): Contestant<EngineSpec> => {
    return { name, spec: { engine: "gpt2-ts build", build: build.root, model, threads, dtype, ...chosen } };
  });
  const warm = (Object.keys(WARM) as WarmPart[]).filter((part) => parts.includes(part));
  const measured = new Map<WarmPart, (readonly Comparison[])[]>(warm.map((part) => [part, []]));
  for (const { first, rounds } of warm.length > 0 ? startOrders(plan.schedule.rounds) : []) {
    const half = { ...plan, schedule: { ...plan.schedule, rounds } };
    const children = new Map<string, Child>();
    try {
      for (const { name, spec } of first === "new" ? contestants : [...contestants].reverse()) {
        const child = new Child(name, { module: LANGUAGE_CHILD, args: [JSON.stringify(spec)], node });
        children.set(name, child);
        const facts = await child.call<Facts>("facts"); // once its model is loaded
        quality[`${name}, ${dtype}`] ??= await checkedQuality(child, checkpoint, facts);
      }
      const sides = contestants.map(({ name }) => children.get(name)!);
      for (const part of warm) measured.get(part)!.push(await WARM[part](half, sides));
    } finally {
      await Promise.all([...children.values()].map((child) => child.close()));
    }
  }
  for (const [part, [one = [], other]] of measured) {
    add(part, other ? one.map((comparison, i) => pooled(comparison, other[i]!)) : one);
  }
  if (parts.includes("cold")) add("cold", await measureColdStart(plan, contestants));
  return { measurements, quality };
}

/**
 * Which build starts first, and for how many rounds. The one that loads its model first decodes up to 6 % more slowly for as long
 * as it lives, whichever it is (a build measured against itself): so each has half of the rounds.
 */
export function startOrders(rounds: number): { readonly first: "new" | "base"; readonly rounds: number }[] {
  const some = Math.ceil(rounds / 2);
  const halves = [
    { first: "new", rounds: some },
    { first: "base", rounds: rounds - some },
  ] as const;
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

/** What both builds weigh on a page. */
export async function measureBundles(pair: Pair): Promise<Measurement[]> {
  const names = [OURS, baseName(pair)];
  const sizes = [await bundleSize(pair.current.root), await bundleSize(pair.base.root)];
  return (["bytes", "gzipBytes"] as const).map((key) => {
    const title = `GPT2 bundled for a page, minified${key === "bytes" ? "" : ", gzip"}`;
    const rounds = untimed(sizes.map((size) => [size[key]]));
    const comparison = summarize({ title, unit: "bytes", higherIsBetter: false }, names, rounds);
    return { part: "bundle", dtype: undefined, comparison };
  });
}

function baseName({ base }: Pair): string {
  return `base ${base.sha.slice(0, 7)}`;
}
