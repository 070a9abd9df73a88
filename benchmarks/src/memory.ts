/**
 * `npm run bench:memory`: resident memory of a whole process with the 124M shape in each dtype, from its start to the first
 * token, and over 10,000 generated tokens.
 *
 *     npm run bench:memory -- [--quick] [--node PATH] [--part load|generate]... [--tokens N]
 *
 * Exits with status 1 when memory grows, or when loading takes more than 1.25 times the file's size. Writes
 * `results/<processor>/memory-node<major>.json`, where each part replaces what an earlier run found; `--quick` and `--tokens`
 * only print.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { MatrixEncoding } from "@gpt2-ts/tensor";
import { ensureCheckpoint } from "./checkpoint.ts";
import { chosen, integer } from "./command-line.ts";
import { convertedCheckpoint } from "./converted-checkpoint.ts";
import { Child } from "./harness/child.ts";
import { bareResidentBytes, runConditions } from "./harness/machine.ts";
import { spread } from "./harness/statistics.ts";
import {
  MEMORY_PARTS,
  type MemoryCurve,
  type MemoryPoint,
  type MemoryResult,
  type ProcessMemory,
} from "./memory/result.ts";
import { SHAKESPEARE } from "./paths.ts";
import { readResult, writeResult } from "./results-file.ts";

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
/** Loading adds the weights, what is read and not laid out yet, and a second thread with a JavaScript heap of its own. */
const LOAD_BOUND = 1.25;
const MB = 1e6;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    node: { type: "string", default: process.execPath },
    part: { type: "string", multiple: true, default: [...MEMORY_PARTS] },
    tokens: { type: "string" },
  },
});
const tokens =
  integer("bench:memory", "tokens", options.tokens, SETTLED_TOKENS + WINDOW_TOKENS, MOST_TOKENS) ??
  (options.quick ? QUICK_TOKENS : TOKENS);

const parts = chosen("bench:memory", "part", options.part, MEMORY_PARTS);
const folder = await ensureCheckpoint(CHECKPOINT);
const conditions = await runConditions(options.node);
const about = { command: "npm run bench:memory", conditions, threads: THREADS };
const processes = parts.includes("load") ? await measureProcesses() : [];
const curves = parts.includes("generate")
  ? [
      await curve("shakespeare", "texts, through GPT2.generate", "generateTexts", SHAKESPEARE),
      await curve(CHECKPOINT, "greedy decoding, contexts of 1,024 tokens", "decode", folder),
    ]
  : [];
if (!options.quick && tokens === TOKENS) {
  const earlier = await readResult<MemoryResult>("memory", conditions);
  const result: MemoryResult = {
    kind: "memory",
    parts: {
      ...earlier?.parts,
      ...(processes.length > 0 && { load: { ...about, processes } }),
      ...(curves.length > 0 && { generate: { ...about, curves } }),
    },
  };
  console.log(`wrote ${await writeResult("memory", conditions, result)}`);
}
const failures = curves.filter(({ flat }) => !flat).map(({ model }) => `${model}: memory grows while generating`);
for (const { dtype, ratio, bound } of processes) {
  if (!(ratio < bound)) failures.push(`loading ${dtype} takes ${ratio.toFixed(2)} times the file's size`);
}
for (const failure of failures) console.error(`FAILED: ${failure}`);
process.exit(failures.length === 0 ? 0 : 1);

async function measureProcesses(): Promise<ProcessMemory[]> {
  const bare = await bareResidentBytes(options.node);
  const dtypes: [MatrixEncoding, string][] = [["f32", folder]];
  for (const dtype of ["bf16", "int8"] as const) dtypes.push([dtype, await convertedCheckpoint(folder, dtype)]);
  const measured: ProcessMemory[] = [];
  for (const [dtype, from] of dtypes) {
    const fileBytes = statSync(join(from, "model.safetensors")).size;
    await using child = watched(dtype);
    const steps = await child.call<Pick<ProcessMemory, "imported" | "loaded" | "tensors" | "firstToken">>(
      "firstToken",
      from,
      THREADS,
    );
    const ratio = (steps.loaded - steps.imported) / fileBytes;
    measured.push({ model: CHECKPOINT, dtype, fileBytes, bare, ...steps, ratio, bound: LOAD_BOUND });
    console.log(
      `${CHECKPOINT} ${dtype}, file ${mb(fileBytes)}: bare Node ${mb(bare)}, imported ${mb(steps.imported)}, ` +
        `loaded ${mb(steps.loaded)} (tensors ${mb(steps.tensors)}), first token ${mb(steps.firstToken)}; ` +
        `loading adds ${ratio.toFixed(2)} times the file (bound ${LOAD_BOUND})`,
    );
  }
  return measured;
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
