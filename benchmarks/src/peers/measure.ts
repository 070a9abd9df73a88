/** The parts of `bench:peers`: every engine is checked against float64 before it is timed. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { type Child, ChildError } from "../harness/child.ts";
import { bareResidentBytes } from "../harness/machine.ts";
import { spread } from "../harness/statistics.ts";
import { measureColdStart } from "../speed/cold-start.ts";
import { show } from "../speed/compare.ts";
import { compareDecode, comparePrefill, compareScoring } from "../speed/comparisons.ts";
import { type Contestant, startEngine } from "../speed/contestant.ts";
import type { Comparison, Facts } from "../speed/result.ts";
import { inBothStartOrders } from "../speed/start-orders.ts";
import { checkedQuality, QUALITY_MAX_LENGTH } from "./checked-quality.ts";
import { type Field, UNSORTED } from "./contestants.ts";
import type { PeersPlan } from "./plan.ts";
import type { MemoryScale, MissingEngine, PeerEngine, PeerPart, PeerPartName } from "./result.ts";

/** Nats a token, for the engines that score texts. */
const SCORE_BOUND = 0.1;
/** Who scores texts: what users would otherwise choose. */
const SCORERS = ["gpt2-ts f32", "gpt2-ts int8", "transformers.js f32", UNSORTED];

/** What the process without an engine is called. */
const BARE = "node -e 0";

type MeasuredPart = Pick<PeerPart, "engines" | "missing" | "comparisons" | "memory">;

export async function measurePart(part: PeerPartName, plan: PeersPlan, field: Field): Promise<MeasuredPart> {
  const takesPart = ({ name }: { readonly name: string }): boolean =>
    part === "score" ? SCORERS.includes(name) : name !== UNSORTED;
  const chosen = field.contestants.filter(takesPart);
  const engines: PeerEngine[] = [];
  const missing = field.missing.filter(takesPart);
  const introduced = async (child: Child): Promise<boolean> => {
    if (missing.some(({ name }) => name === child.name)) return false;
    const found = await introduce(child, plan, engines);
    if ("reason" in found) missing.push(found);
    else if (!engines.includes(found)) engines.push(found);
    return !("reason" in found);
  };
  if (part !== "cold") {
    const comparisons = await inBothStartOrders(plan, chosen, introduced, (share, children) =>
      measureWarm(part, share, children),
    );
    return { engines, missing, comparisons };
  }
  const present: Contestant[] = [];
  for (const contestant of chosen) {
    await using child = startEngine(contestant, plan.node);
    if (await introduced(child)) present.push(contestant);
  }
  return {
    engines,
    missing,
    comparisons: await measureColdStart(plan, present),
    memory: await memoryScale(plan, present),
  };
}

async function memoryScale(plan: PeersPlan, contestants: readonly Contestant[]): Promise<MemoryScale> {
  const peaks: number[] = [];
  while (peaks.length < plan.coldRounds) peaks.push(await bareResidentBytes(plan.node));
  const files = contestants.filter(({ spec }) => spec.engine === "gpt2-ts");
  const sizes = files.map(({ name, spec }) => [name, statSync(join(spec.model, "model.safetensors")).size] as const);
  const bare = { engine: BARE, ...spread(peaks) };
  console.log(`  ${BARE.padEnd(24)} ${show(bare.median).padStart(7)}  (${show(bare.min)} to ${show(bare.max)})`);
  return { bare, fileBytes: Object.fromEntries(sizes) };
}

async function measureWarm(
  part: Exclude<PeerPartName, "cold">,
  plan: PeersPlan,
  children: readonly Child[],
): Promise<Comparison[]> {
  if (part === "decode") return [await compareDecode(plan, children)];
  if (part === "prefill") return comparePrefill(plan, children, "of all");
  for (const child of children) {
    const error = await child.call<number>("scoreError", plan.checkpoint, QUALITY_MAX_LENGTH);
    console.log(`${child.name}: scores are off by ${error.toExponential(1)} nats a token at most`);
    if (!(error < SCORE_BOUND)) throw new ChildError(child.name, `scores are off by ${error} nats a token`);
  }
  return [await compareScoring(plan, children)];
}

/** What an engine says about itself and, unless it is `known`, how close its logits are; or why it cannot take part here. */
async function introduce(
  child: Child,
  plan: PeersPlan,
  known: readonly PeerEngine[],
): Promise<PeerEngine | MissingEngine> {
  let facts: Facts;
  try {
    facts = await child.call<Facts>("facts");
  } catch (error) {
    const reason = (error as Error).message.split("\n", 1)[0] ?? "";
    console.warn(`${child.name} is missing: ${reason}`);
    return { name: child.name, reason };
  }
  return (
    known.find(({ name }) => name === child.name) ?? {
      name: child.name,
      facts,
      quality: await checkedQuality(child, plan.checkpoint, facts),
    }
  );
}
