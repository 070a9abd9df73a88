/** The tables of `bench:speed`. */
import { OURS } from "../speed/compare.ts";
import type { Comparison, Part, SpeedResult } from "../speed/result.ts";
import { figure, nodeMajor, provenance, times } from "./figures.ts";
import { table } from "./markdown.ts";

/** Behind a quantity that could not be measured on a quiet machine. */
const DISTURBED = "†";

/** Prompts: seconds, memory, and how near the logits are. */
export function prefillTable(results: readonly SpeedResult[]): string | undefined {
  const comparisons = withProvenance(results.map(({ prefill }) => prefill));
  if (comparisons === undefined) return undefined;
  const errors = results.flatMap(({ prefill }) =>
    (prefill?.engines ?? []).map(({ name, error }) => [
      name,
      nodeMajor(prefill),
      error?.max.toExponential(1) ?? "",
      error?.rms.toExponential(1) ?? "",
    ]),
  );
  return [comparisons, table(["logit error, prompts up to 64 tokens", "Node", "max", "RMS"], errors)].join("\n\n");
}

/** Tokens per second, and what the memory allows. */
export function decodeTable(results: readonly SpeedResult[]): string | undefined {
  const comparisons = withProvenance(results.map(({ decode }) => decode));
  if (comparisons === undefined) return undefined;
  const shares = results.flatMap(({ decode }) =>
    (decode?.shareOfPlainRead ?? []).map(({ engine, share }) => [
      engine,
      nodeMajor(decode),
      percent(share.median),
      `${percent(share.min)} to ${percent(share.max)}`,
    ]),
  );
  const head = ["weights read per second, of a plain read in the same rounds", "Node", "median", "range"];
  return [comparisons, table(head, shares)].join("\n\n");
}

/** Time to the first token and its memory. */
export function coldTable(results: readonly SpeedResult[]): string | undefined {
  return withProvenance(results.map(({ cold }) => cold));
}

/** Matrix products. */
export function matmulTable(results: readonly SpeedResult[]): string | undefined {
  return withProvenance(results.map(({ matmul }) => matmul));
}

/** The comparisons alone, for the README. */
export function speedSummary(results: readonly SpeedResult[]): string | undefined {
  const language = results.flatMap(({ prefill, decode, cold }) => [prefill, decode, cold]);
  const parts = [language, results.map(({ matmul }) => matmul)];
  const tables = parts.map(comparisonTable).filter((text) => text !== undefined);
  if (tables.length === 0) return undefined;
  return [...tables, ...results.flatMap(({ decode }) => (decode ? [provenance(decode)] : []))].join("\n\n");
}

function withProvenance(parts: readonly (Part | undefined)[]): string | undefined {
  const comparisons = comparisonTable(parts);
  if (comparisons === undefined) return undefined;
  return [comparisons, ...parts.flatMap((part) => (part ? [provenance(part)] : []))].join("\n\n");
}

/** One row per quantity and Node version; a column per engine, and how ours compares with each peer. */
function comparisonTable(parts: readonly (Part | undefined)[]): string | undefined {
  const rows = parts.flatMap(
    (part) => part?.comparisons.map((comparison) => ({ comparison, node: nodeMajor(part) })) ?? [],
  );
  const shown = rows.filter(({ comparison }) => comparison.ratios.length > 0);
  const first = shown[0]?.comparison;
  if (first === undefined) return undefined;
  const titles = [...new Set(shown.map(({ comparison }) => comparison.title))];
  const ordered = titles.flatMap((title) => shown.filter(({ comparison }) => comparison.title === title));
  const engines = first.measured.map(({ engine }) => engine);
  const head = ["", "Node", ...engines, ...first.ratios.map(({ peer }) => `${OURS} : ${peer}`)];
  const marked = ordered.some(({ comparison }) => comparison.disturbed > 0);
  const note = `${DISTURBED} Other programs ran during some of these samples: the range says more than the median.`;
  return [table(head, ordered.map(comparisonRow)), ...(marked ? [note] : [])].join("\n\n");
}

function comparisonRow({ comparison, node }: { readonly comparison: Comparison; readonly node: string }): string[] {
  const { title, unit, measured, ratios, disturbed } = comparison;
  const medians = measured.map(({ median }) => figure(median, unit));
  return [
    disturbed > 0 ? `${title} ${DISTURBED}` : title,
    node,
    ...medians,
    ...ratios.map(({ ratio }) => times(ratio)),
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
