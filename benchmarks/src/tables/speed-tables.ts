/** The tables of `bench:speed`. */
import { processorOf } from "../harness/processor.ts";
import type { ProcessorResults } from "../results-file.ts";
import { OURS } from "../speed/compare.ts";
import type { Comparison, Part, SpeedResult } from "../speed/result.ts";
import { figure, nodeMajor, provenance, times } from "./figures.ts";
import { table } from "./markdown.ts";

type SpeedResults = readonly ProcessorResults<SpeedResult>[];

/** Marks a quantity that was not measured on a quiet machine. */
const DISTURBED = "†";

/**
 * Prompts of 128 tokens. `bench:peers` measures longer prompts, decoding and cold starts, against more engines: those figures
 * are published from there, so that each stands in one place.
 */
export function shortPromptTable(all: SpeedResults): string | undefined {
  const parts = partsOf(all, ({ prefill }) => prefill);
  return withProvenance(
    parts.map((part) => ({ ...part, comparisons: part.comparisons.filter(({ title }) => /\b128 tokens/.test(title)) })),
  );
}

/** What share of the memory's bandwidth decoding reaches. */
export function shareOfMemoryTable(all: SpeedResults): string | undefined {
  const decodes = partsOf(all, ({ decode }) => decode);
  if (decodes.length === 0) return undefined;
  const rows = decodes.flatMap((decode) =>
    decode.shareOfPlainRead.map(({ engine, share }) => [
      engine,
      processorOf(decode.conditions.machine).title,
      nodeMajor(decode),
      percent(share.median),
      `${percent(share.min)} to ${percent(share.max)}`,
    ]),
  );
  const head = ["weights read per second, of a plain read in the same rounds", "processor", "Node", "median", "range"];
  return [table(head, rows), ...decodes.map(provenance)].join("\n\n");
}

/** Matrix products. */
export function matmulTable(all: SpeedResults): string | undefined {
  return withProvenance(partsOf(all, ({ matmul }) => matmul));
}

/** What was measured of one part, processor by processor. */
function partsOf<P extends Part>(all: SpeedResults, partOf: (result: SpeedResult) => P | undefined): P[] {
  return all.flatMap(({ results }) => results.flatMap((result) => partOf(result) ?? []));
}

function withProvenance(parts: readonly Part[]): string | undefined {
  const comparisons = comparisonTable(parts);
  return comparisons && [comparisons, ...parts.map(provenance)].join("\n\n");
}

/** One row per quantity, processor and Node version; a column per engine, and how ours compares with each peer. */
function comparisonTable(parts: readonly Part[]): string | undefined {
  const rows = parts.flatMap((part) => part.comparisons.map((comparison) => ({ comparison, part })));
  const shown = rows.filter(({ comparison }) => comparison.ratios.length > 0);
  const first = shown[0]?.comparison;
  if (first === undefined) return undefined;
  const titles = [...new Set(shown.map(({ comparison }) => comparison.title))];
  const ordered = titles.flatMap((title) => shown.filter(({ comparison }) => comparison.title === title));
  const engines = first.measured.map(({ engine }) => engine);
  const head = ["", "processor", "Node", ...engines, ...first.ratios.map(({ peer }) => `${OURS} : ${peer}`)];
  const marked = ordered.some(({ comparison }) => comparison.disturbed > 0);
  const note = `${DISTURBED} Other programs ran during some of these samples: the range says more than the median.`;
  return [table(head, ordered.map(comparisonRow)), ...(marked ? [note] : [])].join("\n\n");
}

function comparisonRow({ comparison, part }: { readonly comparison: Comparison; readonly part: Part }): string[] {
  const { title, unit, measured, ratios, disturbed } = comparison;
  const medians = measured.map(({ median }) => figure(median, unit));
  return [
    disturbed > 0 ? `${title} ${DISTURBED}` : title,
    processorOf(part.conditions.machine).title,
    nodeMajor(part),
    ...medians,
    ...ratios.map(({ ratio }) => times(ratio)),
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
