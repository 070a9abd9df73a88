/** The tables of `bench:peers`. */
import { pairedRatio, type Spread } from "../harness/statistics.ts";
import type { PeerPart, PeerPartName, PeersResult } from "../peers/result.ts";
import type { Comparison } from "../speed/result.ts";
import { figure, nodeMajor, provenance, times } from "./figures.ts";
import { table } from "./markdown.ts";

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

/** For the README: every engine in float32 on the newest Node, with the distance of its logits from float64. */
export function peersSummary(results: readonly PeersResult[]): string | undefined {
  const newest = results.at(-1);
  return newest && [engineTable(newest, "f32"), provenances([newest])].join("\n\n");
}

/** Engines, ratios, accuracy, and who is missing, for each Node. */
export function peersTable(results: readonly PeersResult[]): string | undefined {
  if (results.length === 0) return undefined;
  const engines = results.map((result) => `Node ${major(result)}:\n\n${engineTable(result)}`);
  const missing = results.flatMap((result) =>
    unique(parts(result).flatMap((part) => part.missing.map(({ name, reason }) => `${name} (${reason})`))).map(
      (line) => `- Node ${major(result)}: ${line}`,
    ),
  );
  const sections = [...engines, ratioTable(results), ...memoryTable(results), accuracyOfPeers(results)];
  if (missing.length > 0) sections.push(`Missing:\n\n${missing.join("\n")}`);
  return [...sections, provenances(results)].join("\n\n");
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

/** How much better ours was, from samples of the same rounds. */
function ratioTable(results: readonly PeersResult[]): string {
  const rows = results.flatMap((result) =>
    PAIRS.flatMap(([ours, peer, part, target]) => {
      const ratio = ratioOf(result.parts[part]?.comparisons[0], ours, peer);
      const aim = target === undefined ? "" : `${target.toFixed(1)}×`;
      return ratio === undefined ? [] : [[`${part}: ${ours} : ${peer}`, major(result), times(ratio), aim]];
    }),
  );
  return table(["ratio, above 1 ours is the better one", "Node", "median (range)", "target"], rows);
}

export function ratioOf(comparison: Comparison | undefined, ours: string, peer: string): Spread | undefined {
  const samples = (name: string) => comparison?.measured.find(({ engine }) => engine === name)?.samples;
  const [own, theirs] = [samples(ours), samples(peer)];
  if (comparison === undefined || own === undefined || theirs === undefined) return undefined;
  return comparison.higherIsBetter ? pairedRatio(own, theirs) : pairedRatio(theirs, own);
}

/** Each engine's logits against float64, with its version: the same on every Node. */
function accuracyOfPeers(results: readonly PeersResult[]): string {
  const newest = results.at(-1);
  const engines = newest === undefined ? [] : parts(newest).flatMap((part) => part.engines);
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
