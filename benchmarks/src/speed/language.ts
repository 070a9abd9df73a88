/** Prefill, decode and memory on the 124M shape, all engines in turns. */
import type { EngineSpec } from "../engines/language-engine.ts";
import { Child } from "../harness/child.ts";
import { interleave } from "../harness/interleave.ts";
import { pairedRatio } from "../harness/statistics.ts";
import type { ErrorSummary } from "../reference-values.ts";
import { compare, side, summarize } from "./compare.ts";
import type { Plan } from "./plan.ts";
import type { Comparison, Facts, LanguagePart, Part } from "./result.ts";

/** Prompts up to this long are checked against the reference before anything is timed. */
const ACCURACY_MAX_LENGTH = 64;
/** A wrong model computes fast: an engine this far from the float64 logits (which span ±20) is not measured. */
const ACCURACY_BOUND = 1e-3;
/** Passes over memory per sample of the read loop; the best counts. */
const READ_PASSES = 5;

export const LANGUAGE_CHILD = new URL("../engines/language-child.js", import.meta.url);
const READ_CHILD = new URL("../harness/bandwidth-child.js", import.meta.url);

type Measurements = Pick<LanguagePart, "engines" | "comparisons" | "decodeShareOfBandwidth" | "peakResident">;

/** An engine and the name it has in the tables. */
export interface Contestant<Spec> {
  readonly name: string;
  readonly spec: Spec;
}

export async function measureLanguage(
  plan: Plan,
  contestants: readonly Contestant<EngineSpec>[],
  weightBytes: number,
): Promise<Measurements> {
  const children = contestants.map(
    ({ name, spec }) => new Child(name, { module: LANGUAGE_CHILD, args: [JSON.stringify(spec)], node: plan.node }),
  );
  await using reader = new Child("plain read", { module: READ_CHILD, args: [], node: plan.node });
  try {
    const engines = [];
    for (const child of children) engines.push(await introduce(child, plan));
    const comparisons: Comparison[] = [];
    for (const tokens of plan.prefill) {
      const sides = children.map((child) => side(child, "prefill", tokens, plan.vocab));
      const about = { title: `prefill of ${tokens} tokens, logits of all`, unit: "s", higherIsBetter: false } as const;
      comparisons.push(await compare(about, sides, plan.schedule));
    }
    const { decode, read } = await measureDecode(plan, children, reader);
    comparisons.push(decode, read);
    const bandwidth = read.measured[0]?.samples ?? [];
    const decodeShareOfBandwidth = decode.measured.map(({ engine, samples }) => {
      const gigabytesPerSecond = samples.map((tokensPerSecond) => (tokensPerSecond * weightBytes) / 1e9);
      return { engine, share: pairedRatio(gigabytesPerSecond, bandwidth) };
    });
    const peakResident = [];
    for (const child of children) {
      peakResident.push({ engine: child.name, bytes: await child.call<number>("peakResidentBytes") });
    }
    return { engines, comparisons, decodeShareOfBandwidth, peakResident };
  } finally {
    await Promise.all(children.map((child) => child.close()));
  }
}

/** What an engine says of itself, and how near its logits are. */
async function introduce(child: Child, plan: Plan): Promise<Part["engines"][number]> {
  const facts = await child.call<Facts>("facts");
  const error = await child.call<ErrorSummary>("accuracy", plan.checkpoint, ACCURACY_MAX_LENGTH);
  const errors = `logit error max ${error.max.toExponential(1)}, RMS ${error.rms.toExponential(1)}`;
  console.log(`${child.name}: ${JSON.stringify(facts)}, ${errors}`);
  if (!(error.max < ACCURACY_BOUND)) throw new Error(`${child.name} computes something else than GPT-2: ${errors}`);
  return { name: child.name, facts, error };
}

/** Decode, with a plain read of memory in every round: the limit moves from hour to hour. */
async function measureDecode(plan: Plan, children: readonly Child[], reader: Child) {
  const { decodeContext, decodeTokens } = plan;
  const sides = children.map((child) => side(child, "decode", decodeContext, decodeTokens, plan.vocab));
  const rounds = await interleave([...sides, side(reader, "sample", plan.threads, READ_PASSES)], plan.schedule);
  const names = children.map(({ name }) => name);
  const title = `decode at context ${decodeContext} to ${decodeContext + decodeTokens}`;
  const readTitle = `plain read of memory by ${plan.threads} threads, in the rounds of decode`;
  return {
    decode: summarize({ title, unit: "tokens/s", higherIsBetter: true }, names, rounds),
    read: summarize({ title: readTitle, unit: "GB/s", higherIsBetter: true }, [reader.name], {
      ...rounds,
      samples: rounds.samples.slice(names.length),
    }),
  };
}
