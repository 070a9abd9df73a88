/**
 * `npm run bench:serve`: `gpt2 serve` from outside. Tokens per second of 16 requests in flight against one after another, on GPT-2's
 * 124M shape; then 64 connections for a minute on the Shakespeare model, a tenth of whose requests is hung up midway and a tenth malformed.
 *
 *     npm run bench:serve -- [--quick] [--only throughput|load] [--dtype f32|bf16|int8] [--threads N] [--node PATH] [--no-wait]
 *
 * Each text has to be the same as the one computed alone, and memory has to stay. Waits until other programs are quiet, ten minutes at
 * most, and writes `results/<processor>/serve-node<major>.json`; `--quick`, `--only`, `--dtype` and `--threads` only print, and do not wait.
 */
import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { parseArgs } from "node:util";
import { GPT2, loadModel, modelSource } from "@gpt2-ts/gpt2";
import { createWasmBackend, type MatrixEncoding } from "@gpt2-ts/tensor";
import { ensureCheckpoint } from "./checkpoint.ts";
import { COMMON_OPTIONS, chosen, integer } from "./command-line.ts";
import { interleave } from "./harness/interleave.ts";
import { whenQuiet } from "./harness/quiet.ts";
import { SHAKESPEARE } from "./paths.ts";
import { readBook } from "./real/book.ts";
import { writeResult } from "./results-file.ts";
import { memoryDrift, percentile, runLoad } from "./serve/load.ts";
import { badRequests, goodRequests } from "./serve/requests.ts";
import type { ServeLoad, ServeResult, ServeThroughput } from "./serve/result.ts";
import { ServerProcess } from "./serve/server-process.ts";
import { Throughput } from "./serve/throughput.ts";
import { OURS, summarize } from "./speed/compare.ts";
import { syntheticTokenizer, writeSyntheticVocabulary } from "./synthetic-tokenizer.ts";

const COMMAND = "bench:serve";
const CHECKPOINT = "synthetic-124m";
const PARTS = ["throughput", "load"] as const;
const THREADS = 2;
const IN_FLIGHT = 16;
const PROMPT_TOKENS = 16;
const CONNECTIONS = 64;
const GOOD_REQUESTS = 64;
/** V8, that of Node 24 above all, lets garbage wait for minutes while there is memory. Within bounds what stays is what the server keeps. */
const LITTLE_GARBAGE = { NODE_OPTIONS: "--max-semi-space-size=2 --max-old-space-size=64" };
/** How much resident memory may grow from the second quarter of the minute to the last. */
const DRIFT_BYTES = 16e6;

const { values: options } = parseArgs({
  options: {
    ...COMMON_OPTIONS,
    only: { type: "string", multiple: true, default: [...PARTS] },
    dtype: { type: "string", default: "f32" },
    threads: { type: "string" },
  },
});
if (options.node !== undefined && realpathSync(options.node) !== realpathSync(process.execPath)) {
  // Answers are compared with the library's of this process, to the bit, which one Node may fuse and another not.
  const { status } = spawnSync(options.node, process.argv.slice(1), { stdio: "inherit" });
  process.exit(status ?? 1);
}
const parts = chosen(COMMAND, "only", options.only, PARTS);
const [dtype = "f32"] = chosen<MatrixEncoding>(COMMAND, "dtype", [options.dtype], ["f32", "bf16", "int8"]);
const threads = integer(COMMAND, "threads", options.threads, 1, 64) ?? THREADS;
const forALook = options.quick || parts.length < PARTS.length || dtype !== "f32" || options.threads !== undefined;
const flags = ["--threads", String(threads), "--max-concurrent", String(IN_FLIGHT)];

const { conditions, result } = await whenQuiet(
  { node: options.node, wait: !(forALook || options["no-wait"]) },
  async () => ({
    throughput: parts.includes("throughput") ? await measureThroughput() : undefined,
    load: parts.includes("load") ? await measureLoad() : undefined,
  }),
  ({ throughput }) => (throughput ? [throughput.comparison] : []),
);
const { throughput, load } = result;
if (!forALook && throughput && load) {
  const written: ServeResult = { kind: "serve", command: `npm run ${COMMAND}`, conditions, threads, throughput, load };
  console.log(`\nwrote ${await writeResult("serve", conditions, written)}`);
}

async function measureThroughput(): Promise<ServeThroughput> {
  const folder = await ensureCheckpoint(CHECKPOINT);
  await writeSyntheticVocabulary(folder);
  const outputTokens = options.quick ? 16 : 128;
  const rounds = options.quick ? 1 : 3;
  await using server = await ServerProcess.start({
    model: folder,
    flags: [...flags, "--dtype", dtype],
    node: options.node,
  });
  const device = createWasmBackend({ threads });
  using model = new GPT2(await loadModel(await modelSource(folder), { device, dtype }), syntheticTokenizer(50_257));
  const plan = { server, inFlight: IN_FLIGHT, promptTokens: PROMPT_TOKENS, outputTokens };
  const aloneAtOnce = Math.ceil(IN_FLIGHT / rounds);
  const measured = new Throughput({ ...plan, vocabSize: model.config.vocabSize, aloneAtOnce });
  const schedule = { warmUp: 0, rounds, restMs: 150 };
  const title = `${CHECKPOINT}, ${dtype}: ${IN_FLIGHT} requests in flight`;
  const about = { title, unit: "tokens/s", higherIsBetter: true } as const;
  const comparison = summarize(about, [OURS, "one after another"], await interleave(measured.sides, schedule));
  // What the server answers to one request alone is in turn what the library computes.
  for (const { body, text } of measured.answeredAlone.slice(0, 2)) {
    const { max_tokens: maxTokens, temperature, seed } = body;
    const alone = await model.generate(body.prompt as number[], { maxTokens, temperature, seed });
    if (alone.text !== text) throw new Error("the server's text is not the library's");
  }
  const count = measured.answeredAlone.length;
  console.log(`  ${count} texts are the same to the bit together and alone, 2 of them compared with the library's`);
  measured.close();
  return { checkpoint: CHECKPOINT, dtype, inFlight: IN_FLIGHT, promptTokens: PROMPT_TOKENS, outputTokens, comparison };
}

async function measureLoad(): Promise<ServeLoad> {
  using model = await GPT2.load(SHAKESPEARE, { threads });
  const good = await goodRequests(model, await readBook(), GOOD_REQUESTS, 1);
  const bad = badRequests(model.config.nPositions, model.config.vocabSize);
  await using server = await ServerProcess.start({
    model: SHAKESPEARE,
    flags,
    node: options.node,
    env: LITTLE_GARBAGE,
  });
  const seconds = options.quick ? 10 : 60;
  const residentBytes = (): number => server.residentBytes();
  const outcome = await runLoad({ url: server.url, connections: CONNECTIONS, seconds, good, bad, residentBytes });
  const memory = { ...memoryDrift(outcome.residentBytes), most: Math.max(...outcome.residentBytes) };
  const firstMs = {
    p50: percentile(outcome.firstMs, 0.5),
    p99: percentile(outcome.firstMs, 0.99),
    max: outcome.firstMs.at(-1) ?? Number.NaN,
  };
  const load: ServeLoad = {
    model: "shakespeare",
    connections: CONNECTIONS,
    seconds,
    answered: outcome.answered,
    hungUp: outcome.hungUp,
    refused: outcome.refused,
    tokensPerSecond: outcome.tokens / outcome.seconds,
    firstMs,
    memory,
  };
  print(load);
  if (outcome.faults.length > 0) {
    throw new Error(`${outcome.faults.length} faults; the first: ${outcome.faults.slice(0, 5).join("\n")}`);
  }
  if (memory.late - memory.early > DRIFT_BYTES) throw new Error("resident memory grew");
  return load;
}

function print({ connections, seconds, answered, hungUp, refused, tokensPerSecond, firstMs, memory }: ServeLoad): void {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
  const refusals = Object.entries(refused).map(([status, count]) => `${count} with ${status}`);
  console.log(`\nthe Shakespeare model, ${connections} connections for ${seconds} s`);
  console.log(`  ${answered} answered, each as alone; ${hungUp} hung up; refused: ${refusals.join(", ")}`);
  console.log(`  ${tokensPerSecond.toFixed(0)} tokens/s`);
  console.log(
    `  first piece of a stream after ${firstMs.p50.toFixed(0)} ms (median), ${firstMs.p99.toFixed(0)} ms (p99), ` +
      `${firstMs.max.toFixed(0)} ms (at most)`,
  );
  console.log(
    `  resident memory ${megabytes(memory.early)} MB in the second quarter, ${megabytes(memory.late)} MB in the last, ` +
      `${megabytes(memory.most)} MB at most`,
  );
}
