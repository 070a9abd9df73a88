// `npm run check:lm-eval`: lm-evaluation-harness, as it comes from PyPI, against `gpt2 serve`; each of its numbers against the same
// computed from `gpt2 score`. Status 1 where two differ by more than 1e-6.
//
//     npm run check:lm-eval -- [--model FOLDER] [--python PATH]
//
// The shipped model unless told otherwise; a Python that has requirements.txt, otherwise a venv in .cache is made.
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ServerProcess } from "../../../benchmarks/dist/serve/server-process.js";
import { expectedOf, greedyDocuments } from "./expected.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "..", "..", "..");
const { values: options } = parseArgs({
  options: { model: { type: "string", default: join(root, "weights", "stories") }, python: { type: "string" } },
});
const model = resolve(options.model);
const TASKS = ["gpt2ts_next_line", "gpt2ts_passages", "gpt2ts_continuations"];
const TOLERANCE = 1e-6;
const { n_positions: CONTEXT } = JSON.parse(readFileSync(join(model, "config.json"), "utf8"));

/** Nothing is looked for on the Hub. */
const OFFLINE = { HF_HUB_OFFLINE: "1", HF_DATASETS_OFFLINE: "1", TRANSFORMERS_OFFLINE: "1" };

/** How the harness can ask: who tokenizes, how many prompts a request has, how many requests are on their way. */
const RUNS = [
  { tokenizer_backend: "remote", num_concurrent: 1, batch_size: 1 },
  { tokenizer_backend: "remote", num_concurrent: 1, batch_size: 8 },
  { tokenizer_backend: "huggingface", num_concurrent: 8, batch_size: 4, tokenizer: model },
];

const python = options.python ?? preparedPython();
const documents = Object.fromEntries(TASKS.map((task) => [task, readLines(join(here, fileOf(task)))]));
documents["gpt2ts_next_line"].push(...(await greedyDocuments(documents["gpt2ts_next_line"], model)));
const expected = await expectedOf(documents, { model, context: CONTEXT });
const room = mkdtempSync(join(tmpdir(), "gpt2-lm-eval-"));
const tasks = join(room, "tasks");
cpSync(here, tasks, { recursive: true, filter: (path) => !/\.(mjs|txt)$/.test(path) });
for (const task of TASKS) {
  writeFileSync(join(tasks, fileOf(task)), documents[task].map((record) => `${JSON.stringify(record)}\n`).join(""));
}
const server = await ServerProcess.start({ model, flags: ["--threads", "1"] });
let worst = 0;
let compared = 0;
let greedy = 0;
const wrong = [];
try {
  for (const run of RUNS) {
    const output = join(room, String(RUNS.indexOf(run)));
    await evaluate(run, output);
    const label = Object.entries(run)
      .map(([key, value]) => `${key}=${value === model ? relative(root, model) : value}`)
      .join(", ");
    console.log(`\nlocal-completions, ${label}`);
    for (const task of TASKS) compare(task, output);
  }
} finally {
  await server.stop();
  rmSync(room, { recursive: true });
}
console.log(
  `\n${compared} numbers and texts compared with those of gpt2 score and generate; largest difference ${worst.toExponential(1)}`,
);
console.log(`${greedy} of the continuations are what the model itself would say`);
if (greedy === 0) wrong.push("no continuation is greedy: whether the harness sees such is not tested");
for (const line of wrong.slice(0, 20)) console.error(line);
if (wrong.length > 0) {
  console.error(`${wrong.length} differ`);
  process.exit(1);
}

function fileOf(task) {
  return `${task.replace("gpt2ts_", "")}.jsonl`;
}

/** Runs the harness; its own output is shown if it fails. */
async function evaluate(run, output) {
  const { batch_size, ...rest } = run;
  const args = {
    model: basename(model),
    base_url: `${server.url}/v1/completions`,
    max_length: CONTEXT,
    max_retries: 1,
    ...rest,
  };
  const modelArgs = Object.entries(args).map(([key, value]) => `${key}=${value}`);
  const child = spawn(
    python,
    [
      ...["-m", "lm_eval", "run", "--model", "local-completions", "--model_args", modelArgs.join(",")],
      ...["--tasks", TASKS.join(","), "--include_path", tasks, "--batch_size", String(batch_size)],
      ...["--log_samples", "--output_path", output],
    ],
    { cwd: tasks, env: { ...process.env, ...OFFLINE, HF_HOME: join(room, "hf") }, stdio: ["ignore", "pipe", "pipe"] },
  );
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => said.push(data));
  const status = await new Promise((resolve) => child.on("close", resolve));
  if (status === 0) return;
  process.stderr.write(Buffer.concat(said));
  throw new Error(`lm_eval ended with status ${status}`);
}

function compare(task, output) {
  const folder = join(output, readdirSync(output)[0]);
  const files = readdirSync(folder);
  const samples = readLines(
    join(
      folder,
      files.find((name) => name.startsWith(`samples_${task}`)),
    ),
  );
  const results = JSON.parse(
    readFileSync(
      join(
        folder,
        files.find((name) => name.startsWith("results")),
      ),
      "utf8",
    ),
  );
  const { documents, metrics } = expected[task];
  check(`${task}: documents`, samples.length, documents.length);
  for (const { doc_id, resps } of samples) {
    const theirs = resps.map(([answer]) => answer);
    for (const [i, wanted] of documents[doc_id].entries())
      checkAnswer(`${task}, document ${doc_id}, ${i}`, theirs[i], wanted);
  }
  for (const [name, value] of Object.entries(metrics)) {
    const theirs = results.results[task][`${name},none`];
    check(`${task}: ${name}`, theirs, value);
    console.log(`  ${task.padEnd(20)} ${name.padEnd(16)} ${String(theirs).padEnd(20)} from gpt2 score: ${value}`);
  }
}

/** An answer is `[log-likelihood, whether it is the greedy text]`, a log-likelihood, or a text; in the file numbers may be strings. */
function checkAnswer(what, theirs, wanted) {
  if (!Array.isArray(wanted)) return check(what, typeof wanted === "number" ? Number(theirs) : theirs, wanted);
  check(`${what}: log-likelihood`, Number(theirs[0]), wanted[0]);
  if (wanted[1] === true) greedy++;
  check(`${what}: greedy`, String(theirs[1]).toLowerCase(), String(wanted[1]));
}

function check(what, theirs, wanted) {
  compared++;
  const numbers = typeof wanted === "number";
  const difference = numbers ? Math.abs(theirs - wanted) : 0;
  if (numbers ? !(difference <= TOLERANCE) : theirs !== wanted)
    wrong.push(`${what}: ${JSON.stringify(theirs)}, expected ${JSON.stringify(wanted)}`);
  else worst = Math.max(worst, difference);
}

function readLines(file) {
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

function preparedPython() {
  const folder = join(root, ".cache", "lm-eval");
  const binary = join(folder, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  if (existsSync(join(folder, "complete"))) return binary;
  console.error("Installing lm-evaluation-harness …");
  rmSync(folder, { recursive: true, force: true });
  must("python3", ["-m", "venv", folder]);
  must(binary, ["-m", "pip", "install", "--quiet", "-r", join(here, "requirements.txt")]);
  must(binary, ["-c", `open(${JSON.stringify(join(folder, "complete"))}, "w")`]);
  return binary;
}

function must(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed${error ? `: ${error.message}` : ""}`);
}
