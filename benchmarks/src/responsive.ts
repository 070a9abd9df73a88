/**
 * `npm run bench:responsive`: how long the event loop is held, and how soon an abort is obeyed, while GPT-2's 124M shape is loaded,
 * reads a prompt and scores; on the calling thread and in a worker, in turns.
 *
 *     npm run bench:responsive -- [--base REVISION] [--rounds N] [--no-wait]
 *
 * With `--base` an earlier revision is measured too, on the calling thread. Writes `results/<processor>/responsive-node<major>.json`.
 */
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as after } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { GPT2, type LanguageModel } from "@gpt2-ts/gpt2";
import { GPT2Worker } from "@gpt2-ts/gpt2/worker";
import { buildOf } from "./against/build.ts";
import { ensureCheckpoint } from "./checkpoint.ts";
import { integer } from "./command-line.ts";
import { GPT2_MODULE } from "./engines/gpt2-ts-build.ts";
import { whenQuiet } from "./harness/quiet.ts";
import { pairedRatio, spread } from "./harness/statistics.ts";
import { type Responsiveness, type ResponsiveResult, TASKS, type Task } from "./responsive/result.ts";
import { writeResult } from "./results-file.ts";
import { writeSyntheticVocabulary } from "./synthetic-tokenizer.ts";

const COMMAND = "bench:responsive";
const CHECKPOINT = "synthetic-124m";
const THREADS = 2;
const ROUNDS = 5;
const CONTEXT = 1023;
const PROMPT_TOKENS = 512;
const TEXTS = 16;
const TEXT_TOKENS = 100;
/** When scoring is aborted: it takes some seconds. */
const ABORT_AFTER_MS = 300;
/** Milliseconds between two looks at the event loop. */
const RESOLUTION_MS = 1;
/** Until a delay that has just ended was seen. */
const SETTLE_MS = 30;

const { values: options } = parseArgs({
  options: {
    base: { type: "string" },
    rounds: { type: "string" },
    "no-wait": { type: "boolean", default: false },
  },
});
const rounds = integer(COMMAND, "rounds", options.rounds, 1, 100) ?? ROUNDS;
const base = options.base === undefined ? undefined : buildOf(options.base);
const folder = await ensureCheckpoint(CHECKPOINT);
await writeSyntheticVocabulary(folder);
const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
loop.enable();

type Load = () => Promise<LanguageModel>;
const loaders: [where: string, load: Load][] = [
  ["calling thread", () => GPT2.load(folder, { threads: THREADS })],
  ["worker", () => GPT2Worker.load(folder, { threads: THREADS })],
];
if (base) {
  const earlier = (await import(pathToFileURL(join(base.root, GPT2_MODULE)).href)) as { readonly GPT2: typeof GPT2 };
  loaders.push(["calling thread, before", () => earlier.GPT2.load(folder, { threads: THREADS })]);
}

/** A subject's samples, one for each round. */
interface Samples {
  readonly tasks: Record<Task, { readonly seconds: number[]; readonly heldMs: number[] }>;
  readonly abortMs: number[];
}
const samples = new Map(loaders.map(([where]) => [where, noSamples()]));

const { conditions } = await whenQuiet(
  { node: process.execPath, wait: !options["no-wait"] },
  async () => {
    for (let round = 0; round < rounds; round++) {
      for (const [where, load] of round % 2 === 0 ? loaders : [...loaders].reverse()) {
        await measure(samples.get(where)!, load);
      }
    }
  },
  () => [],
);

const subjects = [...samples].map(
  ([where, { tasks, abortMs }]): Responsiveness => ({
    where,
    tasks: perTask((task) => ({ seconds: spread(tasks[task].seconds), heldMs: spread(tasks[task].heldMs) })),
    abortMs: spread(abortMs),
  }),
);
const [now, before] = ["calling thread", "calling thread, before"].map((where) => samples.get(where));
const result: ResponsiveResult = {
  kind: "responsive",
  command: ["npm run bench:responsive", ...(options.base === undefined ? [] : ["--", "--base", options.base])].join(
    " ",
  ),
  conditions,
  threads: THREADS,
  checkpoint: CHECKPOINT,
  base: base?.sha,
  subjects,
  against: before ? perTask((task) => pairedRatio(now!.tasks[task].seconds, before.tasks[task].seconds)) : {},
};
for (const { where, tasks, abortMs } of subjects) {
  console.log(`${where}: abort obeyed after ${abortMs.median.toFixed(0)} ms (at most ${abortMs.max.toFixed(0)})`);
  for (const task of TASKS) {
    const { seconds, heldMs } = tasks[task];
    const ratio = where === "calling thread" ? result.against[task] : undefined;
    console.log(
      `  ${task}: ${seconds.median.toFixed(2)} s, held for ${heldMs.median.toFixed(0)} ms (at most ${heldMs.max.toFixed(0)})` +
        (ratio ? `, ${ratio.median.toFixed(3)} of the time before` : ""),
    );
  }
}
console.log(`wrote ${await writeResult("responsive", conditions, result)}`);
process.exit();

async function measure({ tasks, abortMs }: Samples, load: Load): Promise<void> {
  const timed = async <Result>(task: Task, action: () => Promise<Result>): Promise<Result> => {
    await after(SETTLE_MS);
    loop.reset();
    const start = performance.now();
    const result = await action();
    tasks[task].seconds.push((performance.now() - start) / 1000);
    await after(SETTLE_MS);
    tasks[task].heldMs.push(loop.max / 1e6);
    return result;
  };
  const ids = Array.from({ length: CONTEXT }, (_, i) => (i * 7919) % 50_000);
  using model = await timed("load", load);
  await model.score(ids.slice(0, 32)); // threads start, code gets warm
  await timed("prompt", () => model.generate(ids.slice(0, PROMPT_TOKENS), { maxTokens: 8, temperature: 0 }));
  await timed("score", () => model.score(ids));
  const texts = Array.from({ length: TEXTS }, (_, i) => ids.slice(i, i + TEXT_TOKENS));
  await timed("scoreAll", () => model.scoreAll(texts));

  const controller = new AbortController();
  const aborted = performance.now() + ABORT_AFTER_MS;
  setTimeout(() => controller.abort(), ABORT_AFTER_MS);
  await model.score(ids, { signal: controller.signal }).catch(() => {});
  abortMs.push(performance.now() - aborted);
}

function noSamples(): Samples {
  return { tasks: perTask(() => ({ seconds: [], heldMs: [] })), abortMs: [] };
}

function perTask<Value>(of: (task: Task) => Value): Record<Task, Value> {
  return Object.fromEntries(TASKS.map((task) => [task, of(task)])) as Record<Task, Value>;
}
