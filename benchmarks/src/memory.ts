/**
 * `npm run bench:memory`: resident memory over 10,000 generated tokens, and the peak while loading the 124M shape.
 *
 *     npm run bench:memory -- [--quick] [--node PATH] [--tokens N]
 *
 * Exits with status 1 when memory grows or loading takes more than 1.6 times the weights' size. Writes
 * `results/<processor>/memory-node<major>.json`.
 */
import { parseArgs } from "node:util";
import { ensureCheckpoint, readManifest, weightBytes } from "./checkpoint.ts";
import { integer } from "./command-line.ts";
import { Child } from "./harness/child.ts";
import { runConditions } from "./harness/machine.ts";
import { spread } from "./harness/statistics.ts";
import type { MemoryCurve, MemoryPoint, MemoryResult } from "./memory/result.ts";
import { SHIPPED_MODEL } from "./paths.ts";
import { writeResult } from "./results-file.ts";

const CHECKPOINT = "synthetic-124m";
const THREADS = 2;
const TOKENS = 10_000;
const QUICK_TOKENS = 3_000;
const MOST_TOKENS = 1e9;
/** Memory may settle until here; then it must stay flat. */
const SETTLED_TOKENS = 500;
/** The part at either end of the run whose medians are compared. */
const WINDOW_TOKENS = 2_000;
/** Growth that garbage collection explains: the larger of these. A leak of one row of logits per token would be 2 GB. */
const FLAT_BYTES = 8 * 2 ** 20;
const FLAT_SHARE = 0.03;
const LOAD_BOUND = 1.6;
const MB = 1e6;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    node: { type: "string", default: process.execPath },
    tokens: { type: "string" },
  },
});
const tokens =
  integer("bench:memory", "tokens", options.tokens, SETTLED_TOKENS + WINDOW_TOKENS, MOST_TOKENS) ??
  (options.quick ? QUICK_TOKENS : TOKENS);

const folder = await ensureCheckpoint(CHECKPOINT);
const conditions = await runConditions(options.node);
const load = await measureLoad();
const curves = [
  await curve("shakespeare", "texts, through GPT2.generate", "generateTexts", SHIPPED_MODEL),
  await curve(CHECKPOINT, "greedy decoding, contexts of 1,024 tokens", "decode", folder),
];
const result: MemoryResult = {
  kind: "memory",
  command: ["npm run bench:memory", ...process.argv.slice(2)].join(" "),
  conditions,
  threads: THREADS,
  load,
  curves,
};
console.log(`wrote ${await writeResult(tokens === TOKENS ? "memory" : "memory-partial", conditions, result)}`);
const failures = curves.filter(({ flat }) => !flat).map(({ model }) => `${model}: memory grows while generating`);
if (!(load.ratio < LOAD_BOUND)) failures.push(`loading takes ${load.ratio.toFixed(2)} times the weights' size`);
for (const failure of failures) console.error(`FAILED: ${failure}`);
process.exit(failures.length === 0 ? 0 : 1);

async function measureLoad(): Promise<MemoryResult["load"]> {
  await using empty = watched("empty");
  const emptyBytes = await empty.call<number>("emptyPeak");
  await using child = watched("load");
  const peakBytes = await child.call<number>("loadPeak", folder, THREADS);
  const bytes = weightBytes(await readManifest(CHECKPOINT));
  const ratio = peakBytes / bytes;
  console.log(
    `loading ${CHECKPOINT}: peak ${mb(peakBytes)} for ${mb(bytes)} of weights: ${ratio.toFixed(2)} (bound ${LOAD_BOUND}); ` +
      `an empty process takes ${mb(emptyBytes)}`,
  );
  return { model: CHECKPOINT, weightBytes: bytes, peakBytes, emptyBytes, ratio, bound: LOAD_BOUND };
}

async function curve(model: string, what: string, method: string, from: string): Promise<MemoryCurve> {
  await using child = watched(model);
  const points = await child.call<MemoryPoint[]>(method, from, THREADS, tokens);
  const last = points.at(-1)?.tokens ?? 0;
  const early = medianResident(points, SETTLED_TOKENS, SETTLED_TOKENS + WINDOW_TOKENS);
  const late = medianResident(points, last - WINDOW_TOKENS, last);
  const flat = late - early <= Math.max(FLAT_BYTES, FLAT_SHARE * early);
  console.log(
    `${model}, ${what}: ${last} tokens, resident ${mb(early)} around token ${SETTLED_TOKENS + WINDOW_TOKENS / 2}, ` +
      `${mb(late)} at the end: ${flat ? "flat" : "GROWS"}`,
  );
  return { model, what, points, early, late, flat };
}

function medianResident(points: readonly MemoryPoint[], from: number, to: number): number {
  const inside = points.filter((point) => point.tokens >= from && point.tokens <= to);
  return spread(inside.map(({ residentBytes }) => residentBytes)).median;
}

function watched(name: string): Child {
  const module = new URL("./memory/memory-child.js", import.meta.url);
  return new Child(name, { module, args: [], node: options.node });
}

function mb(bytes: number): string {
  return `${(bytes / MB).toFixed(0)} MB`;
}
