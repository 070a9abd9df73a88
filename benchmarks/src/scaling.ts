/**
 * `npm run bench:scaling`: what docs/scaling.md plans with. `gpt2 score` of a corpus with GPT-2's 124M shape, in a process of its own
 * each time: tokens per second and the largest resident memory, with one job, with two, and with two threads.
 *
 *     npm run bench:scaling -- [--quick] [--dtype f32|bf16|int8]... [--lines N] [--rounds N] [--node PATH] [--no-wait]
 *
 * Waits until other programs are quiet, ten minutes at most, prints the table, and writes `results/<processor>/scaling-node<major>.json`;
 * `--quick`, `--dtype`, `--lines` and `--rounds` only print, and do not wait.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Generator, type MatrixEncoding } from "@gpt2-ts/tensor";
import { ensureCheckpoint } from "./checkpoint.ts";
import { COMMON_OPTIONS, chosen, integer } from "./command-line.ts";
import { interleave } from "./harness/interleave.ts";
import { processorOf } from "./harness/processor.ts";
import { whenQuiet } from "./harness/quiet.ts";
import { spread } from "./harness/statistics.ts";
import { writeResult } from "./results-file.ts";
import type { ScalingGroup, ScalingResult } from "./scaling/result.ts";
import { score, type Took } from "./scaling/score-process.ts";
import { summarize } from "./speed/compare.ts";
import { writeSyntheticVocabulary } from "./synthetic-tokenizer.ts";
import { scalingTable } from "./tables/scaling-table.ts";

const COMMAND = "bench:scaling";
const CHECKPOINT = "synthetic-124m";
const DTYPES: readonly MatrixEncoding[] = ["f32", "bf16", "int8"];
const MEASURED = ["f32", "int8"];
const LINES = 64;
const QUICK_LINES = 16;
const TOKENS_PER_LINE = 128;
const ROUNDS = 2;
const VOCABULARY = 50_257;
const CASES = [
  { jobs: 1, threads: 1 },
  { jobs: 2, threads: 1 },
  { jobs: 1, threads: 2 },
];

const { values: options } = parseArgs({
  options: {
    ...COMMON_OPTIONS,
    dtype: { type: "string", multiple: true },
    lines: { type: "string" },
    rounds: { type: "string" },
  },
});
const dtypes = chosen(COMMAND, "dtype", options.dtype ?? MEASURED, DTYPES);
const lines = integer(COMMAND, "lines", options.lines, 1, 1e6) ?? (options.quick ? QUICK_LINES : LINES);
const rounds = integer(COMMAND, "rounds", options.rounds, 1, 100) ?? (options.quick ? 1 : ROUNDS);
const asked = [options.dtype, options.lines, options.rounds].some((option) => option !== undefined);
const forALook = options.quick || asked;

const folder = await ensureCheckpoint(CHECKPOINT);
await writeSyntheticVocabulary(folder);
const room = await mkdtemp(join(tmpdir(), "gpt2-scaling-"));
try {
  const corpus = join(room, "corpus.jsonl");
  await writeFile(corpus, corpusOf(lines));
  const { conditions, result: groups } = await whenQuiet(
    { node: options.node, wait: !(forALook || options["no-wait"]) },
    () => measureAll(corpus),
    (measured) => measured.map(({ comparison }) => comparison),
  );
  const about = { checkpoint: CHECKPOINT, lines, tokensPerLine: TOKENS_PER_LINE };
  const result: ScalingResult = { kind: "scaling", command: `npm run ${COMMAND}`, conditions, ...about, groups };
  console.log(`\n${scalingTable([{ processor: processorOf(conditions.machine), results: [result] }])}`);
  if (!forALook) console.log(`\nwrote ${await writeResult("scaling", conditions, result)}`);
} finally {
  await rm(room, { recursive: true });
}

/** Lines of ids: the synthetic vocabulary makes other tokens of texts than GPT-2's. */
function corpusOf(count: number): string {
  const random = new Generator(5);
  const line = (): string => {
    const ids = Array.from({ length: TOKENS_PER_LINE }, () => Math.floor(random.uniform() * (VOCABULARY - 1)));
    return `${JSON.stringify({ ids })}\n`;
  };
  return Array.from({ length: count }, line).join("");
}

async function measureAll(corpus: string): Promise<ScalingGroup[]> {
  const groups: ScalingGroup[] = [];
  for (const dtype of dtypes) groups.push(await measure(corpus, dtype));
  return groups;
}

async function measure(corpus: string, dtype: MatrixEncoding): Promise<ScalingGroup> {
  let cpuSeconds = 0;
  let run = 0;
  const took = CASES.map((): Took[] => []);
  const sides = CASES.map(({ jobs, threads }, i) => ({
    name: `${jobs} ${jobs === 1 ? "job" : "jobs"}, ${threads} ${threads === 1 ? "thread" : "threads each"}`,
    cpuSeconds: () => cpuSeconds,
    sample: async (): Promise<number> => {
      const out = join(room, `${run++}.jsonl`);
      const flags = ["--jobs", String(jobs), "--threads", String(threads), "--fields", "perplexity", "--out", out];
      const one = await score(corpus, ["--model", folder, "--dtype", dtype, ...flags], options.node);
      cpuSeconds += one.cpuSeconds;
      took[i]!.push(one);
      return one.tokensPerSecond;
    },
  }));
  const measured = await interleave(sides, { warmUp: 0, rounds, restMs: 150 });
  const title = `${CHECKPOINT}, ${dtype}: gpt2 score, ${lines} lines of ${TOKENS_PER_LINE} tokens`;
  const about = { title, unit: "tokens/s", higherIsBetter: true } as const;
  const names = sides.map(({ name }) => name);
  return {
    dtype,
    cases: CASES.map((one, i) => ({ ...one, peakBytes: spread(took[i]!.map(({ peakBytes }) => peakBytes)) })),
    comparison: summarize(about, names, measured),
  };
}
