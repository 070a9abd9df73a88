/**
 * `npm run bench:tables`: writes the tables of `results/<processor>/*.json` into the README, `docs/benchmarks.md`,
 * `docs/compression.md`, `docs/gpu.md`, `docs/responsive.md` and `docs/scaling.md`, between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`; the names are the keys of `generated` below. Draws
 * `docs/figures/peers-*.svg`. Timings stand there for every processor, what does not depend on it from the newest run.
 *
 *     npm run bench:tables -- [--check]     only say whether a document is out of date (status 1)
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import type { LogitsResult } from "./accuracy/result.ts";
import type { BatchResult } from "./batch/result.ts";
import type { CompressionResult } from "./compression/result.ts";
import type { GpuResult } from "./gpu/result.ts";
import type { MemoryResult } from "./memory/result.ts";
import { REPOSITORY } from "./paths.ts";
import type { PeersResult } from "./peers/result.ts";
import type { QualityResult } from "./quality/result.ts";
import type { RealResult } from "./real/result.ts";
import type { ResponsiveResult } from "./responsive/result.ts";
import { readResults } from "./results-file.ts";
import type { RooflineResult } from "./roofline/result.ts";
import type { ScalingResult } from "./scaling/result.ts";
import type { ServeResult } from "./serve/result.ts";
import type { SpeculateResult } from "./speculate/result.ts";
import type { SpeedResult } from "./speed/result.ts";
import { accuracyTable, exactness } from "./tables/accuracy-table.ts";
import { batchTable } from "./tables/batch-table.ts";
import { compressionTable } from "./tables/compression-table.ts";
import { gpuTable } from "./tables/gpu-table.ts";
import { fillMarkers } from "./tables/markdown.ts";
import { memoryTable } from "./tables/memory-table.ts";
import { peersCharts } from "./tables/peers-chart.ts";
import { peersSummary, peersTable } from "./tables/peers-tables.ts";
import { qualityTable } from "./tables/quality-table.ts";
import { realTable } from "./tables/real-table.ts";
import { responsiveTable } from "./tables/responsive-table.ts";
import { rooflineTable } from "./tables/roofline-table.ts";
import { scalingTable } from "./tables/scaling-table.ts";
import { serveTable } from "./tables/serve-table.ts";
import { speculateTable } from "./tables/speculate-table.ts";
import { matmulTable, shareOfMemoryTable, shortPromptTable } from "./tables/speed-tables.ts";
import { trainTable } from "./tables/train-table.ts";
import type { TrainResult } from "./train/result.ts";

const DOCUMENTS = [
  "README.md",
  ...["benchmarks.md", "compression.md", "gpu.md", "responsive.md", "scaling.md"].map((name) => join("docs", name)),
];
const FIGURES = join(REPOSITORY, "docs", "figures");

const { values: options } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const speed = await readResults<SpeedResult>("speed");
const logits = await readResults<LogitsResult>("logits");
const peers = await readResults<PeersResult>("peers");
const generated = {
  // README.md
  exactness: exactness(logits),
  "peers-f32": peersSummary(peers),
  // docs/benchmarks.md
  accuracy: accuracyTable(logits),
  quality: qualityTable(await readResults<QualityResult>("quality")),
  real: realTable(await readResults<RealResult>("real")),
  peers: peersTable(peers),
  "short-prompt": shortPromptTable(speed),
  "share-of-memory": shareOfMemoryTable(speed),
  matmul: matmulTable(speed),
  speculate: speculateTable(await readResults<SpeculateResult>("speculate")),
  batch: batchTable(await readResults<BatchResult>("batch")),
  serve: serveTable(await readResults<ServeResult>("serve")),
  memory: memoryTable(await readResults<MemoryResult>("memory")),
  train: trainTable(await readResults<TrainResult>("train")),
  roofline: rooflineTable(await readResults<RooflineResult>("roofline")),
  // docs/compression.md
  compression: compressionTable(await readResults<CompressionResult>("compression")),
  // docs/responsive.md
  responsive: responsiveTable(await readResults<ResponsiveResult>("responsive")),
  // docs/scaling.md
  scaling: scalingTable(await readResults<ScalingResult>("scaling")),
  // docs/gpu.md
  gpu: gpuTable(await readResults<GpuResult>("gpu")),
};
const sections = new Map(Object.entries(generated).map(([name, text]) => [name, text ?? "Not measured yet."]));
let outdated = false;
for (const document of DOCUMENTS.map((name) => join(REPOSITORY, name)).filter(existsSync)) {
  const before = await readFile(document, "utf8");
  await put(document, before, fillMarkers(relative(REPOSITORY, document), before, sections));
}
await mkdir(FIGURES, { recursive: true });
for (const [name, svg] of peersCharts(peers)) {
  const file = join(FIGURES, name);
  await put(file, existsSync(file) ? await readFile(file, "utf8") : "", svg);
}
if (options.check && outdated) process.exit(1);

async function put(file: string, before: string, after: string): Promise<void> {
  if (after === before) return;
  outdated = true;
  console.log(`${relative(REPOSITORY, file)}: ${options.check ? "out of date" : "written"}`);
  if (!options.check) await writeFile(file, after);
}
