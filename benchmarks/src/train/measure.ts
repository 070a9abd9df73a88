/** The parts of `bench:train`: engines compute the same loss and the same gradients before they are timed. */
import { loadConfig, modelSource } from "@gpt2-ts/gpt2";
import { trainingMemory } from "@gpt2-ts/gpt2/train";
import type { BlockSpec } from "../engines/block.ts";
import type { BlockOutcome } from "../engines/block-child.ts";
import type { StepOutcome, StepSpec } from "../engines/step-engine.ts";
import { Child, ChildError } from "../harness/child.ts";
import { untimed } from "../harness/interleave.ts";
import type { MissingEngine } from "../peers/result.ts";
import { compare, OURS, side, summarize } from "../speed/compare.ts";
import type { Contestant } from "../speed/contestant.ts";
import type { Facts } from "../speed/result.ts";
import { figure } from "../tables/figures.ts";
import type { TrainPlan } from "./plan.ts";
import type { TrainMemory, TrainPart } from "./result.ts";

const BLOCK_CHILD = new URL("../engines/block-child.js", import.meta.url);
const STEP_CHILD = new URL("../engines/step-child.js", import.meta.url);

/** Relative. Float32 engines differ by less than 1e-4 in a norm; a wrong term by far more. */
const AGREEMENT = 1e-3;
/** Steps whose losses and norms are compared: the second one starts from weights that the first one changed. */
const CHECKED_STEPS = 2;

type Measured = Pick<TrainPart, "engines" | "missing" | "comparisons" | "memory">;

/** One of GPT-2's blocks, forward and backward. */
export async function measureBlock(plan: TrainPlan, contestants: readonly Contestant<BlockSpec>[]): Promise<Measured> {
  const { node, block, sampleSeconds, schedule } = plan;
  const { children, engines, missing } = await start(contestants, BLOCK_CHILD, node);
  try {
    let ours: BlockOutcome | undefined;
    for (const child of children) {
      const outcome = await child.call<BlockOutcome>("prepare", block);
      ours ??= outcome;
      expectAgreement(child, [outcome.loss, ...outcome.norms], [ours.loss, ...ours.norms]);
    }
    const title = `a block of ${block.C} channels, forward and backward, ${block.T} tokens`;
    const sides = children.map((child) => side(child, "sample", sampleSeconds));
    const comparison = await compare({ title, unit: "tokens/s", higherIsBetter: true }, sides, schedule);
    return { engines, missing, comparisons: [comparison] };
  } finally {
    await Promise.all(children.map((child) => child.close()));
  }
}

/** Whole steps: forward, backward, clipping, AdamW. */
export async function measureSteps(
  plan: TrainPlan,
  what: "124m" | "stories",
  contestants: readonly Contestant<StepSpec>[],
): Promise<Measured> {
  const { node, steps, sampleSeconds, schedule } = plan;
  const size = steps[what];
  const { children, engines, missing } = await start(contestants, STEP_CHILD, node);
  try {
    let ours: readonly number[] | undefined;
    for (const child of children) {
      const outcomes = await child.call<StepOutcome[]>("outcomes", size, CHECKED_STEPS);
      const figures = outcomes.flatMap(({ loss, norm }) => [loss, norm]);
      ours ??= figures;
      expectAgreement(child, figures, ours);
      for (const fallback of await child.call<string[]>("fallbacks")) {
        console.warn(`${child.name} runs an operation of a step on the reference kernel: ${fallback}`);
      }
    }
    const sides = children.map((child) => side(child, "sample", size, sampleSeconds));
    const title = `training steps on ${size.sequences} × ${size.tokens} tokens`;
    const speed = await compare({ title, unit: "tokens/s", higherIsBetter: true }, sides, schedule);
    const peaks: number[][] = [];
    for (const child of children) peaks.push([await child.call<number>("peakResidentBytes")]);
    const about = { title: "peak resident memory after these", unit: "bytes", higherIsBetter: false } as const;
    const names = children.map(({ name }) => name);
    const resident = summarize(about, names, untimed(peaks));
    const memory = await compareMemory(children[0]!, contestants[0]!.spec.model, size.sequences * size.tokens);
    return { engines, missing, comparisons: [speed, resident], memory };
  } finally {
    await Promise.all(children.map((child) => child.close()));
  }
}

async function compareMemory(ours: Child, folder: string, tokens: number): Promise<TrainMemory> {
  const deviceBytes = await ours.call<number>("deviceBytes");
  const { total: estimateBytes } = trainingMemory(await loadConfig(await modelSource(folder)), { tokens });
  const ratio = deviceBytes / estimateBytes;
  const [taken, estimated] = [deviceBytes, estimateBytes].map((bytes) => figure(bytes, "bytes"));
  console.log(`  ${OURS} takes ${taken} of wasm memory, ${ratio.toFixed(2)} times the estimate of ${estimated}`);
  return { deviceBytes, estimateBytes, ratio };
}

/** A process for each engine, ours first; one that does not start is missing. */
async function start<Spec>(
  contestants: readonly Contestant<Spec>[],
  module: URL,
  node: string,
): Promise<{ children: Child[]; engines: { name: string; facts: Facts }[]; missing: MissingEngine[] }> {
  const [children, engines, missing]: [Child[], { name: string; facts: Facts }[], MissingEngine[]] = [[], [], []];
  for (const { name, spec } of contestants) {
    const child = new Child(name, { module, args: [JSON.stringify(spec)], node });
    try {
      const facts = await child.call<Facts>("facts");
      console.log(`${name}: ${JSON.stringify(facts)}`);
      engines.push({ name, facts });
      children.push(child);
    } catch (error) {
      await child.close();
      if (name.startsWith(OURS)) throw error;
      const reason = (error as Error).message.split("\n", 1)[0] ?? "";
      console.warn(`${name} is missing: ${reason}`);
      missing.push({ name, reason });
    }
  }
  return { children, engines, missing };
}

/** @throws ChildError where a figure is not ours */
function expectAgreement(child: Child, figures: readonly number[], ours: readonly number[]): void {
  for (const [i, figure] of figures.entries()) {
    const wanted = ours[i] ?? Number.NaN;
    if (Math.abs(figure - wanted) <= AGREEMENT * Math.abs(wanted)) continue;
    throw new ChildError(child.name, `computes something else: figure ${i} is ${figure}, and ${wanted} with ${OURS}`);
  }
}
