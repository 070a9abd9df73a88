/**
 * `npm run bench:roofline`: how long each op of a pass takes, and how close it comes to the machine's limits.
 *
 *     npm run bench:roofline -- [--quick] [--node PATH] [--part prefill|decode|score]... [--dtype f32|bf16|int8]...
 *                               [--tokens N] [--threads N] [--no-wait]
 *
 * `--tokens`: of the prompt (512), the context before decoding (64), or all texts that are scored (512). Writes
 * `results/<processor>/roofline-node<major>.json`, where each part replaces what an earlier run found. Before each part it
 * waits until other programs are quiet, ten minutes at most. `--quick`, `--dtype`, `--tokens` and `--threads` only print: they
 * do not wait and write nothing.
 */
import { parseArgs } from "node:util";
import type { MatrixEncoding } from "@gpt2-ts/tensor";
import { ensureCheckpoint } from "./checkpoint.ts";
import { COMMON_OPTIONS, chosen, integer } from "./command-line.ts";
import { whenQuiet } from "./harness/quiet.ts";
import { readResult, writeResult } from "./results-file.ts";
import { measureRoofline, type RooflinePlan } from "./roofline/measure.ts";
import { printPart } from "./roofline/print.ts";
import { ROOFLINE_PARTS, type RooflinePart, type RooflinePartName, type RooflineResult } from "./roofline/result.ts";

const COMMAND = "bench:roofline";
const CHECKPOINT = "synthetic-124m";
const DTYPES: readonly MatrixEncoding[] = ["f32", "bf16", "int8"];
const TOKENS = { prefill: 512, decode: 64, score: 512 } as const;
const DECODE_TOKENS = 64;
const CONTEXT = 1024;
/** Tokens that a part can take: scoring, from its longest text on. */
const RANGES = { prefill: [1, CONTEXT], decode: [1, CONTEXT - DECODE_TOKENS], score: [64, CONTEXT] } as const;
const THREADS = 2;

const { values: options } = parseArgs({
  options: {
    ...COMMON_OPTIONS,
    part: { type: "string", multiple: true, default: [...ROOFLINE_PARTS] },
    dtype: { type: "string", multiple: true, default: [...DTYPES] },
    tokens: { type: "string" },
    threads: { type: "string" },
  },
});
const parts = chosen(COMMAND, "part", options.part, ROOFLINE_PARTS);
const dtypes = chosen(COMMAND, "dtype", options.dtype, DTYPES);
const least = Math.max(...parts.map((part) => RANGES[part][0]));
const most = Math.min(...parts.map((part) => RANGES[part][1]));
const tokens = integer(COMMAND, "tokens", options.tokens, least, most);
const threads = integer(COMMAND, "threads", options.threads, 1, 64);
const forALook = options.quick || dtypes.length < DTYPES.length || tokens !== undefined || threads !== undefined;
const plan: RooflinePlan = {
  node: options.node,
  threads: threads ?? THREADS,
  dtypes,
  tokens: tokens === undefined ? TOKENS : { prefill: tokens, decode: tokens, score: tokens },
  decodeTokens: DECODE_TOKENS,
  schedule: { warmUp: 1, rounds: options.quick ? 2 : 5, restMs: 150 },
};

const folder = await ensureCheckpoint(CHECKPOINT);
for (const part of parts) {
  const { conditions, result } = await whenQuiet(
    { node: plan.node, wait: !(forALook || options["no-wait"]) },
    () => measureRoofline(part, folder, plan),
    (measured) => [measured],
  );
  const measured: RooflinePart = { command: "npm run bench:roofline", conditions, threads: plan.threads, ...result };
  printPart(measured);
  if (!forALook) await store(part, measured);
}

async function store(part: RooflinePartName, measured: RooflinePart): Promise<void> {
  const { conditions } = measured;
  const earlier = await readResult<RooflineResult>("roofline", conditions);
  const result: RooflineResult = {
    kind: "roofline",
    checkpoint: CHECKPOINT,
    parts: { ...earlier?.parts, [part]: measured },
  };
  console.log(`\nwrote ${await writeResult("roofline", conditions, result)}`);
}
