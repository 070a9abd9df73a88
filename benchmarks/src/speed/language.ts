/** Prefill, decode and memory on the 124M shape, all engines in turns. */
import type { LogitQuality } from "../engines/language-checks.ts";
import type { EngineSpec } from "../engines/language-engine.ts";
import { Child } from "../harness/child.ts";
import { interleave, untimed } from "../harness/interleave.ts";
import { pairedRatio } from "../harness/statistics.ts";
import { side, summarize } from "./compare.ts";
import { comparePrefill, decoding } from "./comparisons.ts";
import type { Plan } from "./plan.ts";
import type { Comparison, DecodePart, Facts, Part } from "./result.ts";

/** Prompts up to this long are checked against the reference before anything is timed. */
const ACCURACY_MAX_LENGTH = 64;
/** A wrong model may be fast: an engine this far from the float64 logits (which span ±20) is not measured. */
const ACCURACY_BOUND = 1e-3;
/** Passes over memory per sample of the read loop; the best counts. */
const READ_PASSES = 5;

export const LANGUAGE_CHILD = new URL("../engines/language-child.js", import.meta.url);
const READ_CHILD = new URL("../harness/bandwidth-child.js", import.meta.url);

/** An engine and the name it has in the tables. */
export interface Contestant<Spec> {
  readonly name: string;
  readonly spec: Spec;
}

type Measurements = Pick<Part, "engines" | "comparisons">;

/** Seconds for prompts, including the logits of all their tokens, and the memory that they took. */
export async function measurePrefill(
  plan: Plan,
  contestants: readonly Contestant<EngineSpec>[],
): Promise<Measurements> {
  return withEngines(plan, contestants, (children) => comparePrefill(plan, children, "of all"));
}

/** Tokens per second, with a plain read of memory in every round: the limit moves from hour to hour. */
export async function measureDecode(
  plan: Plan,
  contestants: readonly Contestant<EngineSpec>[],
  weightBytes: number,
): Promise<Measurements & Pick<DecodePart, "shareOfPlainRead">> {
  await using reader = new Child("plain read", { module: READ_CHILD, args: [], node: plan.node });
  const measured = await withEngines(plan, contestants, async (children) => {
    const decode = decoding(plan, children);
    const rounds = await interleave(
      [...decode.sides, side(reader, "sample", plan.threads, READ_PASSES)],
      plan.schedule,
    );
    const names = children.map(({ name }) => name);
    const readTitle = `plain read of memory by ${plan.threads} threads, in the rounds of decode`;
    return [
      summarize(decode.about, names, rounds),
      summarize(
        { title: readTitle, unit: "GB/s", higherIsBetter: true },
        [reader.name],
        untimed(rounds.samples.slice(names.length)),
      ),
    ];
  });
  const [decode, read] = measured.comparisons;
  const bandwidth = read?.measured[0]?.samples ?? [];
  const shareOfPlainRead = (decode?.measured ?? []).map(({ engine, samples }) => {
    const gigabytesPerSecond = samples.map((tokensPerSecond) => (tokensPerSecond * weightBytes) / 1e9);
    return { engine, share: pairedRatio(gigabytesPerSecond, bandwidth) };
  });
  return { ...measured, shareOfPlainRead };
}

/** Starts every engine, checks that it computes GPT-2, measures, and ends them. */
async function withEngines(
  plan: Plan,
  contestants: readonly Contestant<EngineSpec>[],
  measure: (children: readonly Child[]) => Promise<Comparison[]>,
): Promise<Measurements> {
  const children = contestants.map(
    ({ name, spec }) => new Child(name, { module: LANGUAGE_CHILD, args: [JSON.stringify(spec)], node: plan.node }),
  );
  try {
    const engines: Part["engines"][number][] = [];
    for (const child of children) engines.push(await introduce(child, plan));
    return { engines, comparisons: await measure(children) };
  } finally {
    await Promise.all(children.map((child) => child.close()));
  }
}

/** What an engine says about itself, and how close its logits are. */
async function introduce(child: Child, plan: Plan): Promise<Part["engines"][number]> {
  const facts = await child.call<Facts>("facts");
  const { max, rms } = await child.call<LogitQuality>("quality", plan.checkpoint, ACCURACY_MAX_LENGTH);
  const error = { max, rms };
  const errors = `logit error max ${max.toExponential(1)}, RMS ${rms.toExponential(1)}`;
  console.log(`${child.name}: ${JSON.stringify(facts)}, ${errors}`);
  if (!(max < ACCURACY_BOUND)) throw new Error(`${child.name} computes something else than GPT-2: ${errors}`);
  return { name: child.name, facts, error };
}
