/**
 * `npm run bench:tables`: writes the tables of `results/*.json` into the README, `docs/benchmarks.md` and `docs/gpu.md`, between
 * `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`; the names are the keys of `generated` below. Draws
 * `docs/figures/peers-*.svg`.
 *
 *     npm run bench:tables -- [--check]     only say whether a document is out of date (status 1)
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { REPOSITORY, RESULTS } from "./paths.ts";
import { accuracyTable, exactness } from "./tables/accuracy-table.ts";
import { gpuTable } from "./tables/gpu-table.ts";
import { fillMarkers } from "./tables/markdown.ts";
import { memoryTable } from "./tables/memory-table.ts";
import { peersCharts } from "./tables/peers-chart.ts";
import { peersSummary, peersTable } from "./tables/peers-tables.ts";
import { qualityTable } from "./tables/quality-table.ts";
import { realTable } from "./tables/real-table.ts";
import { rooflineTable } from "./tables/roofline-table.ts";
import { speculateTable } from "./tables/speculate-table.ts";
import { matmulTable, shareOfMemoryTable, shortPromptTable } from "./tables/speed-tables.ts";

const DOCUMENTS = ["README.md", join("docs", "benchmarks.md"), join("docs", "gpu.md")];
const FIGURES = join(REPOSITORY, "docs", "figures");

const { values: options } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const speed = await results<Parameters<typeof matmulTable>[0][number]>("speed");
const logits = await results<Parameters<typeof accuracyTable>[0][number]>("logits");
const peers = await results<Parameters<typeof peersTable>[0][number]>("peers");
const generated = {
  // README.md
  exactness: exactness(logits),
  "peers-f32": peersSummary(peers),
  // docs/benchmarks.md
  accuracy: accuracyTable(logits),
  quality: qualityTable(await results("quality")),
  real: realTable(await results("real")),
  peers: peersTable(peers),
  "short-prompt": shortPromptTable(speed),
  "share-of-memory": shareOfMemoryTable(speed),
  matmul: matmulTable(speed),
  speculate: speculateTable(await results("speculate")),
  memory: memoryTable(await results("memory")),
  roofline: rooflineTable(await results("roofline")),
  // docs/gpu.md
  gpu: gpuTable(await results("gpu")),
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

/** The results of one kind, oldest Node.js version first. */
async function results<Result>(kind: string): Promise<Result[]> {
  const pattern = new RegExp(`^${kind}-node(\\d+)\\.json$`);
  const files = existsSync(RESULTS) ? await readdir(RESULTS) : [];
  const found = files.flatMap((file) => {
    const major = pattern.exec(file)?.[1];
    return major === undefined ? [] : [{ file, major: Number(major) }];
  });
  found.sort((a, b) => a.major - b.major);
  return Promise.all(found.map(async ({ file }) => JSON.parse(await readFile(join(RESULTS, file), "utf8")) as Result));
}
