/** The command of `bench:real`. */
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import {
  disposeModel,
  GPT2,
  type GPT2Config,
  loadConfig,
  loadModel,
  loadTokenizer,
  type Model,
  type ModelSource,
  modelSource,
} from "@gpt2-ts/gpt2";
import { type Backend, createWasmBackend, type MatrixEncoding } from "@gpt2-ts/tensor";
import { createProgress, findModel, Interruption, interruptible } from "gpt2-ts";
import { runConditions } from "../harness/machine.ts";
import { REFERENCE } from "../paths.ts";
import { describeErrors } from "../quality/describe.ts";
import { compareModels, windowsOf } from "../quality/measure.ts";
import type { QualityErrors } from "../quality/result.ts";
import { writeResult } from "../results-file.ts";
import { BOOK_TITLE, readBook } from "./book.ts";
import { compareGreedy, comparePrompts } from "./published.ts";
import { type Published, readPublished, shapeDifferences } from "./reference.ts";
import { disagreements, type GreedyResult, type PromptResult, type RealFigures, type RealResult } from "./result.ts";

const DEFAULT_REFERENCE = join(REFERENCE, "real-gpt2.json");
const DTYPES: readonly MatrixEncoding[] = ["bf16", "int8"];
/** Tokens of the book: eight contexts of GPT-2, or with `--quick` one. */
const TOKENS = 8192;
const QUICK_TOKENS = 1024;

const EXIT_DIFFERENT = 1;
const EXIT_NOT_COMPARED = 2;

interface Options {
  readonly model: string;
  readonly reference: string;
  readonly quick: boolean;
}

/** Runs the benchmark with these arguments; resolves to the exit status. */
export async function benchReal(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    const published = await readPublished(options.reference);
    const figures = await interruptible((signal) => measure(options, published, signal));
    const failures = disagreements(figures, published);
    for (const failure of failures) console.error(`FAILED: ${failure}`);
    if (failures.length > 0) return EXIT_DIFFERENT;
    if (!options.quick && options.reference === DEFAULT_REFERENCE) await write(figures, published);
    console.log(`\n${figures.model} agrees with what is published about ${published.title}.`);
    return 0;
  } catch (error) {
    if (error instanceof Interruption) return error.exitStatus;
    console.error(`bench:real: ${(error as Error).message.replaceAll(/\s*[\r\n]+\s*/g, " ")}`);
    if (process.env["DEBUG"] === "bench:real") console.error((error as Error).stack);
    return EXIT_NOT_COMPARED;
  }
}

function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      model: { type: "string", default: "gpt2" },
      reference: { type: "string", default: DEFAULT_REFERENCE },
      quick: { type: "boolean", default: false },
    },
  });
  return values;
}

async function measure({ model, quick }: Options, published: Published, signal: AbortSignal): Promise<RealFigures> {
  const source = await findChecked(model, published, signal);
  const name = /^https?:/i.test(model) ? model : basename(resolve(model));
  const tokenizer = await loadTokenizer(source);
  const device = createWasmBackend({ deterministic: true });
  try {
    const base = await load(source, "f32", device, signal);
    const gpt2 = new GPT2(base, tokenizer);
    const prompts = await comparePrompts(gpt2, published, signal);
    for (const prompt of prompts) printPrompt(prompt);
    const greedy = await compareGreedy(gpt2, published, signal);
    for (const continuation of greedy) printGreedy(continuation);
    const ids = tokenizer.encode(await readBook()).slice(0, quick ? QUICK_TOKENS : TOKENS);
    const quality = await measureDtypes(name, source, base, ids, signal);
    return { model: name, prompts, greedy, quality };
  } finally {
    device.dispose();
  }
}

/** The model, once it is known to have the shape of the published one: a config is small, and the weights may have to be downloaded. */
async function findChecked(model: string, { title, shape }: Published, signal: AbortSignal): Promise<ModelSource> {
  const accept = (config: GPT2Config): void => {
    const differences = shapeDifferences(config, shape);
    if (differences.length > 0) throw new Error(`${model} is not ${title}: ${differences.join(", ")}`);
  };
  const source = await modelSource(await findModel({ model }, signal, { accept }), signal);
  accept(await loadConfig(source)); // of a folder
  return source;
}

async function load(source: ModelSource, dtype: MatrixEncoding, device: Backend, signal: AbortSignal): Promise<Model> {
  const progress = createProgress("items");
  let started = false;
  try {
    return await loadModel(source, {
      device,
      dtype,
      signal,
      onProgress: ({ loaded, total }) => {
        if (!started) progress.start(total);
        started = true;
        progress.update(loaded, `loading ${dtype}, parameters`);
      },
    });
  } finally {
    progress.stop();
  }
}

async function measureDtypes(
  name: string,
  source: ModelSource,
  base: Model,
  ids: readonly number[],
  signal: AbortSignal,
): Promise<QualityErrors[]> {
  const device = base.weights.wte.device;
  const others: Model[] = [];
  for (const dtype of DTYPES) others.push(await load(source, dtype, device, signal));
  const windows = windowsOf(ids, base.config.nPositions);
  const progress = createProgress("items");
  progress.start(ids.length);
  try {
    const onPosition = (done: number): void => progress.update(done, "comparing f32, bf16 and int8, tokens");
    const comparisons = await compareModels([base, ...others], windows, { onPosition, signal });
    progress.stop();
    const errors = comparisons.map((found, i) => ({
      model: name,
      text: BOOK_TITLE,
      dtype: DTYPES[i]!,
      cacheDtype: others[i]!.cacheDtype,
      ...found.summary(),
    }));
    const { basePerplexity } = errors[0]!;
    console.log(
      `${name}, ${BOOK_TITLE}, f32: perplexity ${basePerplexity.toFixed(3)} (${Math.log(basePerplexity).toFixed(3)} nats a ` +
        `token) in contexts of up to ${base.config.nPositions} tokens`,
    );
    for (const found of errors) console.log(describeErrors(found));
    return errors;
  } finally {
    progress.stop();
    for (const other of others) disposeModel(other);
  }
}

function printPrompt({ text, max, rms }: PromptResult): void {
  console.log(
    `logits after ${JSON.stringify(text)}: max ${max.toExponential(1)}, RMS ${rms.toExponential(1)} from the published`,
  );
}

function printGreedy({ text, tokens, agreed, continuation }: GreedyResult): void {
  console.log(
    `greedy after ${JSON.stringify(text)}: ${agreed} of ${tokens} tokens as published: ${JSON.stringify(continuation)}`,
  );
}

async function write(figures: RealFigures, { tolerance }: Published): Promise<void> {
  const conditions = await runConditions(process.execPath);
  const result: RealResult = { kind: "real", command: "npm run bench:real", conditions, tolerance, ...figures };
  console.log(`\nwrote ${await writeResult("real", conditions, result)}`);
}
