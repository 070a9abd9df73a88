/** The tables of `bench:speed`. */
import { OURS } from "../speed/compare.ts";
import type { Comparison, Part, SpeedResult } from "../speed/result.ts";
import { figure, provenance, times } from "./figures.ts";
import { table } from "./markdown.ts";

/** Prefill, decode and the bandwidth that limits it. */
export function languageTable(results: readonly SpeedResult[]): string | undefined {
  const comparisons = comparisonTable(results.map(({ language }) => language));
  if (comparisons === undefined) return undefined;
  const shares = results.flatMap(({ language }) =>
    (language?.decodeShareOfBandwidth ?? []).map(({ engine, share }) => [
      engine,
      nodeMajor(language),
      percent(share.median),
      `${percent(share.min)} to ${percent(share.max)}`,
    ]),
  );
  const errors = results.flatMap(({ language }) =>
    (language?.engines ?? []).map(({ name, error }) => [
      name,
      nodeMajor(language),
      error?.max.toExponential(1) ?? "",
      error?.rms.toExponential(1) ?? "",
    ]),
  );
  return [
    comparisons,
    ...results.flatMap(({ language }) => (language ? [provenance(language)] : [])),
    table(["decode: weights read per second, of a plain read in the same rounds", "Node", "median", "range"], shares),
    table(["logit error of these engines, prompts up to 64 tokens", "Node", "max", "RMS"], errors),
  ].join("\n\n");
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
  const tables = [
    comparisonTable(results.map(({ language }) => language)),
    comparisonTable(results.map(({ cold }) => cold)),
    comparisonTable(results.map(({ matmul }) => matmul)),
  ].filter((text) => text !== undefined);
  if (tables.length === 0) return undefined;
  return [...tables, ...results.flatMap(({ language }) => (language ? [provenance(language)] : []))].join("\n\n");
}

function withProvenance(parts: readonly (Part | undefined)[]): string | undefined {
  const comparisons = comparisonTable(parts);
  if (comparisons === undefined) return undefined;
  return [comparisons, ...parts.flatMap((part) => (part ? [provenance(part)] : []))].join("\n\n");
}

/** One row per quantity and Node version; a column per engine, and how ours compares with each peer. */
function comparisonTable(parts: readonly (Part | undefined)[]): string | undefined {
  const present = parts.filter((part) => part !== undefined);
  const first = present[0];
  if (first === undefined) return undefined;
  const shown = first.comparisons.filter(({ measured }) => measured.length > 1);
  const engines = shown[0]?.measured.map(({ engine }) => engine) ?? [];
  const peers = shown[0]?.ratios.map(({ peer }) => peer) ?? [];
  const head = ["", "Node", ...engines, ...peers.map((peer) => `${OURS} : ${peer}`)];
  const rows = shown.flatMap(({ title }) =>
    present.flatMap((part) => {
      const comparison = part.comparisons.find((other) => other.title === title);
      return comparison === undefined ? [] : [comparisonRow(comparison, part)];
    }),
  );
  return table(head, rows);
}

function comparisonRow({ title, unit, measured, ratios }: Comparison, part: Part): string[] {
  return [
    title,
    nodeMajor(part),
    ...measured.map(({ median }) => figure(median, unit)),
    ...ratios.map(({ ratio }) => times(ratio)),
  ];
}

function nodeMajor(part: Part | undefined): string {
  return /^v?(\d+)/.exec(part?.conditions.node ?? "")?.[1] ?? "";
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
