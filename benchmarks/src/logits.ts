/**
 * `npm run bench:logits`: the logits of every backend against the float64 reference.
 *
 *     npm run bench:logits -- [--quick] [--node PATH] [--model synthetic-tiny|synthetic-124m|shakespeare|stories]...
 *
 * Rebuilds the synthetic checkpoints (their hashes are checked), runs each prompt at once and token by token, compares
 * logits, log-probabilities and the residual stream after each block, and checks that results are bit-identical where
 * that is promised. Exits with status 1 if a bound is exceeded or a promise broken. Writes
 * `results/<processor>/logits-node<major>.json`.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { disposeModel, loadModel, modelSource } from "@gpt2-ts/gpt2";
import { type Candidate, candidates } from "./accuracy/backends.ts";
import { checkIdentities } from "./accuracy/identity.ts";
import { decode, prefill } from "./accuracy/passes.ts";
import type { IdentityCheck, LogitsResult, PromptErrors } from "./accuracy/result.ts";
import { isSynthetic, MODEL_NAMES, type ModelName, modelFolder } from "./checkpoint.ts";
import { chosen } from "./command-line.ts";
import { runConditions } from "./harness/machine.ts";
import { ErrorMeter, type ErrorSummary, type ReferencePrompt, readReference } from "./reference-values.ts";
import { writeResult } from "./results-file.ts";

/** The largest and the RMS error of float32 logits that span ±20. PyTorch's own float32 pass: 3.3e-5 and 5.5e-6. */
const BOUND: ErrorSummary = { max: 7e-5, rms: 1.2e-5 };
/** With `--quick`, prompts longer than this are left out. */
const QUICK_MAX_LENGTH = 64;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    node: { type: "string" },
    model: { type: "string", multiple: true, default: [...MODEL_NAMES] },
  },
});
const models = chosen("bench:logits", "model", options.model, MODEL_NAMES);
if (options.node !== undefined) process.exit(runOn(options.node));

const prompts: PromptErrors[] = [];
const identities: IdentityCheck[] = [];
for (const name of models) await measureModel(name);

const failures = [...prompts.flatMap(exceeded), ...identities.filter(({ held }) => !held).map(describeBroken)];
const conditions = await runConditions(process.execPath);
const whole = !options.quick && models.length === MODEL_NAMES.length;
const result: LogitsResult = {
  kind: "logits",
  command: ["npm run bench:logits", ...process.argv.slice(2)].join(" "),
  conditions,
  bound: BOUND,
  prompts,
  identities,
};
console.log(`\nwrote ${await writeResult(whole ? "logits" : "logits-partial", conditions, result)}`);
for (const failure of failures) console.error(`FAILED: ${failure}`);
if (failures.length === 0)
  console.log(
    `All within max ${BOUND.max.toExponential()} and RMS ${BOUND.rms.toExponential()}; all promised bits identical.`,
  );
process.exit(failures.length === 0 ? 0 : 1);

async function measureModel(name: ModelName): Promise<void> {
  const folder = await modelFolder(name);
  const all = await readReference(name);
  const asked = options.quick ? all.filter(({ ids }) => ids.length <= QUICK_MAX_LENGTH) : all;
  console.log(`\n${name}${isSynthetic(name) ? " (every SHA-256 as documented)" : ""}`);
  console.log(
    "  backend              tokens   prefill max   RMS       decode max    RMS       log-prob max  hidden max",
  );
  const tested = candidates();
  for (const candidate of tested) {
    const model = await loadModel(await modelSource(folder), { device: candidate.backend });
    for (const prompt of asked) {
      if (name === "synthetic-124m" && prompt.ids.length > candidate.maxLength) continue;
      const before = await prefill(model, prompt);
      const stepwise = await decode(model, prompt);
      const errors: PromptErrors = {
        model: name,
        backend: candidate.name,
        prompt: prompt.name,
        tokens: prompt.ids.length,
        prefill: new ErrorMeter().add(before.logits, prompt.logits).summary(),
        decode: new ErrorMeter().add(stepwise.logits, prompt.logits).summary(),
        logprobs: new ErrorMeter().add(before.logprobs, prompt.logprobs).summary(),
        hidden: hiddenErrors(before.hidden, prompt),
        digest: before.digest,
      };
      prompts.push(errors);
      printRow(errors);
    }
    disposeModel(model);
  }
  const short = asked.filter(({ ids }) => ids.length <= QUICK_MAX_LENGTH * 4);
  for (const relaxed of tested.some(isRelaxed) ? [false, true] : [false]) {
    const checks = await checkIdentities(name, folder, short, relaxed);
    identities.push(...checks);
    for (const { what, held } of checks) console.log(`  ${held ? "identical" : "DIFFERENT"}: ${what}`);
  }
  for (const candidate of tested) candidate.dispose();
}

function hiddenErrors(layers: readonly Float32Array[], { hidden }: ReferencePrompt): ErrorSummary[] {
  if (hidden === undefined) return [];
  const size = hidden.length / layers.length;
  return layers.map((x, i) => new ErrorMeter().add(x, hidden.subarray(i * size, (i + 1) * size)).summary());
}

/** The bounds that a prompt's errors exceed, with the first block that is off, to locate a wrong op. */
function exceeded(errors: PromptErrors): string[] {
  const where = `${errors.model}, ${errors.backend}, ${errors.prompt}`;
  const over = ({ max, rms }: ErrorSummary): boolean => !(max <= BOUND.max && rms <= BOUND.rms);
  const lines: string[] = [];
  for (const pass of ["prefill", "decode"] as const) {
    const error = errors[pass];
    if (error !== undefined && over(error)) lines.push(`${where}, ${pass}: max ${error.max}, RMS ${error.rms}`);
  }
  if (lines.length > 0 && errors.hidden.length > 0) {
    lines.push(
      `${where}: RMS error after each block ${errors.hidden.map(({ rms }) => rms.toExponential(1)).join(" ")}`,
    );
  }
  return lines;
}

function describeBroken({ model, what }: IdentityCheck): string {
  return `${model}: not bit-identical: ${what}`;
}

function printRow({ backend, tokens, prefill, decode, logprobs, hidden }: PromptErrors): void {
  const figures = [
    prefill.max,
    prefill.rms,
    decode?.max,
    decode?.rms,
    logprobs.max,
    Math.max(...hidden.map(({ max }) => max)),
  ];
  const cells = figures.map((x) => (x !== undefined && Number.isFinite(x) ? x.toExponential(2) : "").padEnd(12));
  console.log(`  ${backend.padEnd(20)} ${String(tokens).padStart(5)}    ${cells.join("")}`);
}

function isRelaxed({ name }: Candidate): boolean {
  return name.includes("relaxed");
}

/** This program again, on another Node.js binary. */
function runOn(node: string): number {
  const rest = process.argv.slice(2);
  const at = rest.findIndex((argument) => argument === "--node" || argument.startsWith("--node="));
  rest.splice(at, rest[at] === "--node" ? 2 : 1);
  return spawnSync(node, [fileURLToPath(import.meta.url), ...rest], { stdio: "inherit" }).status ?? 1;
}
