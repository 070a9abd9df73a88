/**
 * `npm run bench:speculate`: what `speculate: "lookup"` brings, and what it costs where nothing repeats.
 *
 *     npm run bench:speculate -- [--quick] [--node PATH] [--dtype f32|bf16|int8]... [--threads N] [--no-wait]
 *
 * Each text is generated with and without, in turns, and has to be the same. Waits until other programs are quiet, ten minutes at
 * most, and writes `results/<processor>/speculate-node<major>.json`; `--quick`, `--dtype` and `--threads` only print, and do not wait.
 */
import { parseArgs } from "node:util";
import type { MatrixEncoding } from "@gpt2-ts/tensor";
import { ensureCheckpoint } from "./checkpoint.ts";
import { COMMON_OPTIONS, chosen, integer } from "./command-line.ts";
import { Child } from "./harness/child.ts";
import { whenQuiet } from "./harness/quiet.ts";
import { STORIES } from "./paths.ts";
import { writeResult } from "./results-file.ts";
import type { SpeculateCase, SpeculateResult } from "./speculate/result.ts";
import type { Generated } from "./speculate/speculate-child.ts";
import { TEXTS } from "./speculate/texts.ts";
import { compare, OURS } from "./speed/compare.ts";

const COMMAND = "bench:speculate";
const DTYPES: readonly MatrixEncoding[] = ["f32", "bf16", "int8"];
const THREADS = 2;

const { values: options } = parseArgs({
  options: {
    ...COMMON_OPTIONS,
    dtype: { type: "string", multiple: true, default: [...DTYPES] },
    threads: { type: "string" },
  },
});
const dtypes = chosen(COMMAND, "dtype", options.dtype, DTYPES);
const threads = integer(COMMAND, "threads", options.threads, 1, 64);
const schedule = { warmUp: 1, rounds: options.quick ? 2 : 7, restMs: 150 };
const folders = { stories: STORIES, "synthetic-124m": await ensureCheckpoint("synthetic-124m") };
const forALook = options.quick || dtypes.length < DTYPES.length || threads !== undefined;

const { conditions, result: cases } = await whenQuiet(
  { node: options.node, wait: !(forALook || options["no-wait"]) },
  measureAll,
  (measured) => measured.map(({ comparison }) => comparison),
);
if (!forALook) {
  const command = `npm run ${COMMAND}`;
  const result: SpeculateResult = { kind: "speculate", command, conditions, threads: THREADS, cases };
  console.log(`\nwrote ${await writeResult("speculate", conditions, result)}`);
}

async function measureAll(): Promise<SpeculateCase[]> {
  const cases: SpeculateCase[] = [];
  for (const dtype of dtypes) {
    for (const model of ["synthetic-124m", "stories"] as const) cases.push(...(await measure(model, dtype)));
  }
  return cases;
}

async function measure(model: keyof typeof folders, dtype: MatrixEncoding): Promise<SpeculateCase[]> {
  const module = new URL("./speculate/speculate-child.js", import.meta.url);
  const args = [folders[model], dtype, String(threads ?? THREADS)];
  await using child = new Child(model, { module, args, node: options.node });
  const measured: SpeculateCase[] = [];
  for (const [index, texts] of TEXTS.entries()) {
    if (texts.model !== model) continue;
    const sides = [true, false].map((speculates) => ({
      name: speculates ? OURS : "without speculation",
      sample: () => child.call<number>("sample", index, speculates),
      cpuSeconds: () => child.cpuSeconds,
    }));
    const title = `${dtype}, ${texts.what}`;
    const comparison = await compare({ title, unit: "tokens/s", higherIsBetter: true }, sides, schedule);
    const statistics = await child.call<Generated>("statistics", index);
    const { tokens, drafted, accepted } = statistics;
    console.log(`  ${tokens} tokens, ${drafted} drafted, ${accepted} accepted`);
    measured.push({ what: texts.what, dtype, comparison, ...statistics });
  }
  return measured;
}
