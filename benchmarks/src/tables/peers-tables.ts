/** The tables of `bench:peers`. */
import type { Processor } from "../harness/processor.ts";
import { pairedRatio, type Spread } from "../harness/statistics.ts";
import type { PeerPart, PeerPartName, PeersResult } from "../peers/result.ts";
import { newest, type ProcessorResults } from "../results-file.ts";
import type { Comparison } from "../speed/result.ts";
import { figure, nodeMajor, provenance, times } from "./figures.ts";
import { table } from "./markdown.ts";
import { chartName } from "./peers-chart.ts";

type PeersResults = readonly ProcessorResults<PeersResult>[];

/** Marks a quantity that was not measured on a quiet machine. */
const DISTURBED = "†";

/** What is shown of each engine. `at` counts the part's comparisons. */
const COLUMNS: readonly { readonly head: string; readonly part: PeerPartName; readonly at: number }[] = [
  { head: "decode", part: "decode", at: 0 },
  { head: "prefill, 512 tokens", part: "prefill", at: 0 },
  { head: "scoring, 200 texts", part: "score", at: 0 },
  { head: "cold start to first token", part: "cold", at: 0 },
  { head: "peak memory until then", part: "cold", at: 1 },
];

/** Which comparisons have a target, and which one would ask for first. */
const PAIRS: readonly (readonly [ours: string, peer: string, part: PeerPartName, target?: number])[] = [
  ["gpt2-ts f32", "onnxruntime-node f32", "decode", 1],
  ["gpt2-ts f32", "llama.cpp f32", "decode", 1],
  ["gpt2-ts bf16", "onnxruntime-node f32", "decode", 1.6],
  ["gpt2-ts int8", "onnxruntime-node f32", "decode", 2.5],
  ["gpt2-ts int8", "llama.cpp q8_0", "decode", 0.8],
  ["gpt2-ts int8", "onnxruntime-node int8", "decode"],
  ["gpt2-ts f32", "onnxruntime-node f32", "prefill", 0.6],
  ["gpt2-ts int8", "onnxruntime-node f32", "prefill", 1],
  ["gpt2-ts int8", "llama.cpp q8_0", "prefill"],
  ["gpt2-ts int8", "onnxruntime-node int8", "prefill"],
  ["gpt2-ts f32", "transformers.js f32", "score", 2],
  ["gpt2-ts int8", "transformers.js f32", "score", 2],
  ["gpt2-ts f32", "transformers.js f32, unsorted", "score", 2],
  ["gpt2-ts int8", "transformers.js f32, unsorted", "score", 2],
  ["gpt2-ts int8", "onnxruntime-node int8", "cold"],
  ["gpt2-ts int8", "llama.cpp q8_0", "cold"],
];

/** For the README: how fast each processor decodes, and every engine in float32, with the distance of its logits from float64. */
export function peersSummary(all: PeersResults): string | undefined {
  const sections = all.flatMap(({ processor, results }) => {
    const newest = results.at(-1);
    if (newest === undefined) return [];
    const chart = picture(processor, "decode", "Tokens per second of each engine, decoding GPT-2 small");
    return [`**${processor.title}**`, chart, engineTable(newest, "f32"), provenances([newest])];
  });
  return sections.length === 0 ? undefined : sections.join("\n\n");
}

/** A chart of {@link peersCharts}, by its path from the README. */
function picture({ slug }: Processor, part: PeerPartName, alternative: string): string {
  return [
    "<picture>",
    `  <source media="(prefers-color-scheme: dark)" srcset="docs/figures/${chartName(part, slug, "dark")}">`,
    `  <img src="docs/figures/${chartName(part, slug, "light")}" alt="${alternative}">`,
    "</picture>",
  ].join("\n");
}

/** Engines for each processor and Node; ratios of all processors side by side; accuracy, and who is missing. */
export function peersTable(all: PeersResults): string | undefined {
  if (all.length === 0) return undefined;
  const everywhere = all.flatMap(({ processor, results }) => results.map((result) => ({ processor, result })));
  const where = ({ processor, result }: (typeof everywhere)[number]): string =>
    `${processor.title}, Node ${major(result)}`;
  const engines = everywhere.map((one) => `${where(one)}:\n\n${engineTable(one.result)}`);
  const missing = everywhere.flatMap((one) =>
    unique(parts(one.result).flatMap((part) => part.missing.map(({ name, reason }) => `${name} (${reason})`))).map(
      (line) => `- ${where(one)}: ${line}`,
    ),
  );
  const sections = [...engines, ratioTable(all), ...memoryTable(newest(all)), accuracyOfPeers(newest(all))];
  if (missing.length > 0) sections.push(`Missing:\n\n${missing.join("\n")}`);
  return [...sections, provenances(everywhere.map(({ result }) => result))].join("\n\n");
}

/** @param only the precision of the engines that are shown; with it their errors are, too. */
function engineTable(result: PeersResult, only?: string): string {
  const engines = parts(result).flatMap((part) => part.engines);
  const names = unique(engines.map(({ name }) => name)).filter(
    (name) => only === undefined || name.endsWith(` ${only}`),
  );
  const shown = COLUMNS.map(({ head, part, at }) => ({ head, comparison: result.parts[part]?.comparisons[at] }));
  const rows = names.map((name) => {
    const error = engines.find((engine) => engine.name === name)?.quality.max.toExponential(1) ?? "";
    const measured = shown.map(({ comparison }) => {
      const median = comparison?.measured.find(({ engine }) => engine === name)?.median;
      return comparison === undefined || median === undefined ? "" : figure(median, comparison.unit);
    });
    return [name, ...measured, ...(only === undefined ? [] : [error])];
  });
  const heads = shown.map(({ head, comparison }) => (comparison?.disturbed ? `${head} ${DISTURBED}` : head));
  const head = ["", ...heads, ...(only === undefined ? [] : ["logits against float64"])];
  const marked = shown.some(({ comparison }) => (comparison?.disturbed ?? 0) > 0);
  const note = `${DISTURBED} Other programs ran during some of these samples: see the ranges of the ratios.`;
  return [table(head, rows), ...(marked ? [note] : [])].join("\n\n");
}

/** Peak memory until the first token as multiples of the weights' file: of the whole process, and of what is ours of it. */
function memoryTable(results: readonly PeersResult[]): string[] {
  const rows = results.flatMap((result) => {
    const { comparisons = [], memory } = result.parts.cold ?? {};
    if (memory === undefined) return [];
    const { bare, fileBytes } = memory;
    const peaks = comparisons[1]?.measured ?? [];
    const ours = peaks.flatMap(({ engine, median }) => {
      const bytes = fileBytes[engine];
      if (bytes === undefined) return [];
      const over = [median, median - bare.median].flatMap((peak) => [figure(peak, "bytes"), (peak / bytes).toFixed(2)]);
      return [[engine, major(result), figure(bytes, "bytes"), ...over]];
    });
    return [[bare.engine, major(result), "", figure(bare.median, "bytes"), "", "", ""], ...ours];
  });
  const head = [
    "peak resident memory until the first token",
    "Node",
    "file",
    "process",
    ": file",
    "above bare Node",
    ": file",
  ];
  return rows.length === 0 ? [] : [table(head, rows)];
}

/** How much better ours was, from samples of the same rounds; a column for each processor. */
function ratioTable(all: PeersResults): string {
  const majors = unique(all.flatMap(({ results }) => results.map(major))).sort((a, b) => Number(a) - Number(b));
  const rows = majors.flatMap((node) =>
    PAIRS.flatMap(([ours, peer, part, target]) => {
      const ratios = all.map(({ results }) => {
        const result = results.find((candidate) => major(candidate) === node);
        const ratio = ratioOf(result?.parts[part]?.comparisons[0], ours, peer);
        return ratio === undefined ? "" : times(ratio);
      });
      const aim = target === undefined ? "" : `${target.toFixed(1)}×`;
      return ratios.every((ratio) => ratio === "") ? [] : [[`${part}: ${ours} : ${peer}`, node, ...ratios, aim]];
    }),
  );
  const processors = all.map(({ processor }) => processor.title);
  return table(["median ratio (range), above 1 ours is the better one", "Node", ...processors, "target"], rows);
}

export function ratioOf(comparison: Comparison | undefined, ours: string, peer: string): Spread | undefined {
  const samples = (name: string) => comparison?.measured.find(({ engine }) => engine === name)?.samples;
  const [own, theirs] = [samples(ours), samples(peer)];
  if (comparison === undefined || own === undefined || theirs === undefined) return undefined;
  return comparison.higherIsBetter ? pairedRatio(own, theirs) : pairedRatio(theirs, own);
}

/** Each engine's logits against float64, with its version: the same on every Node. */
function accuracyOfPeers(results: readonly PeersResult[]): string {
  const last = results.at(-1);
  const engines = last === undefined ? [] : parts(last).flatMap((part) => part.engines);
  const rows = unique(engines.map(({ name }) => name)).flatMap((name) => {
    const { quality, facts } = engines.find((engine) => engine.name === name) ?? {};
    if (quality === undefined) return [];
    const { max, rms, meanKl, top1 } = quality;
    const errors = [max, rms, meanKl].map((value) => value.toExponential(1));
    return [[name, ...errors, `${(top1 * 100).toFixed(0)} %`, String(facts?.["version"] ?? "this one")]];
  });
  return table(
    ["logits against float64, prompts up to 64 tokens", "max", "RMS", "mean KL, nats", "top-1", "version"],
    rows,
  );
}

function provenances(results: readonly PeersResult[]): string {
  return results.flatMap((result) => parts(result).slice(0, 1).map(provenance)).join("\n\n");
}

function parts({ parts: all }: PeersResult): PeerPart[] {
  return Object.values(all).filter((part) => part !== undefined);
}

function major(result: PeersResult): string {
  return nodeMajor(parts(result)[0]);
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
