/**
 * `npm run bench:batch`: tokens per second of several texts generated together, against one after another.
 *
 *     npm run bench:batch -- [--quick] [--node PATH] [--dtype f32|bf16|int8]... [--threads N] [--no-wait]
 *
 * Each text has to be the same in every company. Waits until other programs are quiet, ten minutes at most, and writes
 * `results/<processor>/batch-node<major>.json`; `--quick`, `--dtype` and `--threads` only print, and do not wait.
 */
import { parseArgs } from "node:util";
import type { MatrixEncoding } from "@gpt2-ts/tensor";
import type { BatchCase, BatchResult } from "./batch/result.ts";
import { ensureCheckpoint } from "./checkpoint.ts";
import { chosen, integer } from "./command-line.ts";
import { Child } from "./harness/child.ts";
import { interleave } from "./harness/interleave.ts";
import { whenQuiet } from "./harness/quiet.ts";
import { writeResult } from "./results-file.ts";
import { OURS, side, summarize } from "./speed/compare.ts";

const COMMAND = "bench:batch";
const DTYPES: readonly MatrixEncoding[] = ["f32", "bf16", "int8"];
const THREADS = 2;
const TEXTS = [1, 2, 4, 8, 16];
const PROMPT_TOKENS = 16;
const GENERATED_TOKENS = 128;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    node: { type: "string", default: process.execPath },
    dtype: { type: "string", multiple: true, default: [...DTYPES] },
    threads: { type: "string" },
    "no-wait": { type: "boolean", default: false },
  },
});
const dtypes = chosen(COMMAND, "dtype", options.dtype, DTYPES);
const threads = integer(COMMAND, "threads", options.threads, 1, 64);
const schedule = { warmUp: options.quick ? 0 : 1, rounds: options.quick ? 2 : 5, restMs: 150 };
const generatedTokens = options.quick ? 32 : GENERATED_TOKENS;
const folder = await ensureCheckpoint("synthetic-124m");
const forALook = options.quick || dtypes.length < DTYPES.length || threads !== undefined;

const { conditions, result: cases } = await whenQuiet(
  { node: options.node, wait: !(forALook || options["no-wait"]) },
  measureAll,
  (measured) => measured.map(({ comparison }) => comparison),
);
if (!forALook) {
  const command = `npm run ${COMMAND}`;
  const run = { command, conditions, threads: THREADS, promptTokens: PROMPT_TOKENS, generatedTokens };
  const result: BatchResult = { kind: "batch", ...run, cases };
  console.log(`\nwrote ${await writeResult("batch", conditions, result)}`);
}

async function measureAll(): Promise<BatchCase[]> {
  const cases: BatchCase[] = [];
  for (const dtype of dtypes) cases.push(...(await measure(dtype)));
  return cases;
}

/** All sides take turns; the texts one after another are the same side for each number of texts. */
async function measure(dtype: MatrixEncoding): Promise<BatchCase[]> {
  const module = new URL("./batch/batch-child.js", import.meta.url);
  const args = [folder, dtype, String(threads ?? THREADS), String(PROMPT_TOKENS), String(generatedTokens)];
  await using child = new Child(dtype, { module, args, node: options.node });
  const sides = [side(child, "alone", TEXTS.at(-1)), ...TEXTS.map((texts) => side(child, "together", texts))];
  const { samples, ...rest } = await interleave(sides, schedule);
  const [alone, ...together] = samples;
  return TEXTS.map((texts, i) => {
    const title = `${dtype}, ${texts} ${texts === 1 ? "text" : "texts"}`;
    const rounds = { samples: [together[i]!, alone!], ...rest };
    const about = { title, unit: "tokens/s", higherIsBetter: true } as const;
    return { texts, dtype, comparison: summarize(about, [OURS, "one after another"], rounds) };
  });
}
