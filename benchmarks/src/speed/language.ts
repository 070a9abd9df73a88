/** Prefill, decode and memory on the 124M shape, all engines in turns. */
import type { LogitQuality } from "../engines/language-checks.ts";
import { Child } from "../harness/child.ts";
import { interleave, untimed } from "../harness/interleave.ts";
import { pairedRatio } from "../harness/statistics.ts";
import { side, summarize } from "./compare.ts";
import { comparePrefill, decoding } from "./comparisons.ts";
import type { Contestant } from "./contestant.ts";
import type { Plan } from "./plan.ts";
import type { Comparison, DecodePart, Facts, Part } from "./result.ts";
import { inBothStartOrders } from "./start-orders.ts";

/** Prompts up to this long are checked against the reference before anything is timed. */
const ACCURACY_MAX_LENGTH = 64;
/** A wrong model may be fast: an engine this far from the float64 logits (which span ±20) is not measured. */
const ACCURACY_BOUND = 1e-3;
/** Passes over memory per sample of the read loop; the best counts. */
const READ_PASSES = 5;

const READ_CHILD = new URL("../harness/bandwidth-child.js", import.meta.url);

type Measurements = Pick<Part, "engines" | "comparisons">;

/** Seconds for prompts, including the logits of all their tokens, and the memory that they took. */
export async function measurePrefill(plan: Plan, contestants: readonly Contestant[]): Promise<Measurements> {
  return withEngines(plan, contestants, (share, children) => comparePrefill(share, children, "of all"));
}

/** Tokens per second, with a plain read of memory in every round: the limit moves from hour to hour. */
export async function measureDecode(
  plan: Plan,
  contestants: readonly Contestant[],
  weightBytes: number,
): Promise<Measurements & Pick<DecodePart, "shareOfPlainRead">> {
  await using reader = new Child("plain read", { module: READ_CHILD, args: [], node: plan.node });
  const measured = await withEngines(plan, contestants, async (share, children) => {
    const decode = decoding(share, children);
    const reading = side(reader, "sample", plan.threads, READ_PASSES);
    const rounds = await interleave([...decode.sides, reading], share.schedule);
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

/** Starts every engine, checks that it computes GPT-2, measures, and ends them; in both start orders. */
async function withEngines(
  plan: Plan,
  contestants: readonly Contestant[],
  measure: (plan: Plan, children: readonly Child[]) => Promise<Comparison[]>,
): Promise<Measurements> {
  const engines = new Map<string, Part["engines"][number]>();
  const introduced = async (child: Child): Promise<boolean> => {
    engines.set(child.name, await introduce(child, plan));
    return true;
  };
  const comparisons = await inBothStartOrders(plan, contestants, introduced, measure);
  return { engines: [...engines.values()], comparisons };
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
