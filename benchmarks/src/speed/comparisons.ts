/** The quantities that are measured warm of engines in processes of their own, each said once. */
import type { Child } from "../harness/child.ts";
import { type Side, untimed } from "../harness/interleave.ts";
import { type About, compare, side, summarize } from "./compare.ts";
import type { Plan } from "./plan.ts";
import type { Comparison } from "./result.ts";

/** Seconds for prompts, the logits of all their tokens or of the last one computed, and the memory that took. */
export async function comparePrefill(
  plan: Plan,
  children: readonly Child[],
  logits: "of all" | "of the last",
): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const tokens of plan.prefill) {
    const sides = children.map((child) => side(child, "prefill", tokens, plan.vocab));
    const title = `prefill of ${tokens} tokens, logits ${logits}`;
    comparisons.push(await compare({ title, unit: "s", higherIsBetter: false }, sides, plan.schedule));
  }
  const peaks: number[][] = [];
  for (const child of children) peaks.push([await child.call<number>("peakResidentBytes")]);
  const about = { title: "peak resident memory after these", unit: "bytes", higherIsBetter: false } as const;
  const names = children.map(({ name }) => name);
  comparisons.push(summarize(about, names, untimed(peaks)));
  return comparisons;
}

/** Tokens per second of greedy decoding. */
export async function compareDecode(plan: Plan, children: readonly Child[]): Promise<Comparison> {
  const { about, sides } = decoding(plan, children);
  return compare(about, sides, plan.schedule);
}

/** What {@link compareDecode} measures, for measurements with more sides than the engines. */
export function decoding(plan: Plan, children: readonly Child[]): { about: About; sides: Side[] } {
  const { decodeContext, decodeTokens, vocab } = plan;
  const title = `decode at context ${decodeContext} to ${decodeContext + decodeTokens}`;
  const sides = children.map((child) => side(child, "decode", decodeContext, decodeTokens, vocab));
  return { about: { title, unit: "tokens/s", higherIsBetter: true }, sides };
}

/** Tokens per second of scoring many texts in one call. */
export async function compareScoring(
  plan: Plan & { readonly textLengths: readonly number[] },
  children: readonly Child[],
): Promise<Comparison> {
  const { textLengths, vocab, schedule } = plan;
  const sides = children.map((child) => side(child, "score", textLengths, vocab));
  const total = textLengths.reduce((sum, length) => sum + length, 0);
  const title = `scoring ${textLengths.length} texts of ${Math.min(...textLengths)} to ${Math.max(...textLengths)} tokens, ${total} in all`;
  return compare({ title, unit: "tokens/s", higherIsBetter: true }, sides, schedule);
}
