/** The parts of `bench:against`: both builds in turns, each in a process of its own, one dtype after the other. */
import type { MatrixEncoding } from "@gpt2-ts/tensor";
import type { LogitQuality } from "../engines/language-checks.ts";
import type { Child } from "../harness/child.ts";
import { untimed } from "../harness/interleave.ts";
import { checkedQuality } from "../peers/checked-quality.ts";
import type { PeersPlan } from "../peers/plan.ts";
import { measureColdStart } from "../speed/cold-start.ts";
import { OURS, summarize } from "../speed/compare.ts";
import { compareDecode, comparePrefill, compareScoring } from "../speed/comparisons.ts";
import type { Contestant } from "../speed/contestant.ts";
import { decodingAt } from "../speed/plan.ts";
import type { Comparison, Facts } from "../speed/result.ts";
import { inBothStartOrders } from "../speed/start-orders.ts";
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
  const { threads, checkpoint } = plan;
  const contestants = [
    { name: OURS, build: pair.current, ...(plan.cacheDtype && { cacheDtype: plan.cacheDtype }) },
    { name: baseName(pair), build: pair.base },
  ].map(({ name, build, ...chosen }): Contestant => {
    return { name, spec: { engine: "gpt2-ts build", build: build.root, model, threads, dtype, ...chosen } };
  });
  const introduce = async (child: Child): Promise<boolean> => {
    const facts = await child.call<Facts>("facts"); // once its model is loaded
    quality[`${child.name}, ${dtype}`] ??= await checkedQuality(child, checkpoint, facts);
    return true;
  };
  for (const part of (Object.keys(WARM) as WarmPart[]).filter((each) => parts.includes(each))) {
    add(part, await inBothStartOrders(plan, contestants, introduce, WARM[part]));
  }
  if (parts.includes("cold")) add("cold", await measureColdStart(plan, contestants));
  return { measurements, quality };
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
