/**
 * `npm run bench:quality`: the cost of weights, and of keys and values, in fewer bits.
 *
 *     npm run bench:quality -- [--quick] [--model synthetic-124m|shakespeare|stories]...
 *
 * Runs each dtype, with each cacheDtype, and float32 on the same tokens and compares every logit, every distribution, and the perplexity. The
 * deterministic build is used, whose results are the same on every engine. Exits with status 1 when a bound is exceeded.
 * Writes `results/<processor>/quality-node<major>.json`.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  DTYPES,
  defaultCacheDtype,
  disposeModel,
  loadModel,
  loadTokenizer,
  type Model,
  type ModelSource,
  modelSource,
} from "@gpt2-ts/gpt2";
import { createWasmBackend, type MatrixEncoding } from "@gpt2-ts/tensor";
import { type ModelName, modelFolder } from "./checkpoint.ts";
import { chosen } from "./command-line.ts";
import { runConditions } from "./harness/machine.ts";
import { REPOSITORY } from "./paths.ts";
import { describeErrors } from "./quality/describe.ts";
import { compareModels, windowsOf } from "./quality/measure.ts";
import type { QualityBound, QualityErrors, QualityResult } from "./quality/result.ts";
import { BOOK_TITLE, readBook } from "./real/book.ts";
import { readReference } from "./reference-values.ts";
import { writeResult } from "./results-file.ts";

/** What is compared with float32, cache and all. */
const VARIANTS: Readonly<Record<MatrixEncoding, readonly MatrixEncoding[]>> = {
  f32: ["bf16", "int8"],
  bf16: ["f32"],
  int8: ["f32", "bf16", "int8"],
};
const MODELS = ["synthetic-124m", "shakespeare", "stories"] as const satisfies readonly ModelName[];
type Measured = (typeof MODELS)[number];
const BOUNDS: readonly QualityBound[] = [
  { model: "synthetic-124m", dtype: "int8", meanKl: 0.0065 },
  { model: "shakespeare", dtype: "int8", top1: 0.98, perplexityChange: 0.005 },
  { model: "stories", dtype: "int8", top1: 0.98, perplexityChange: 0.005 },
];
/** English that the Shakespeare model has never seen, of another kind than its training text. */
const PROSE = join(REPOSITORY, "docs", "reading.md");
/** Windows of the book that the shipped model reads. */
const BOOK_WINDOWS = 20;
/** Tokens of each text with `--quick`. */
const QUICK_TOKENS = 128;

/** Ids of a text, cut into pieces that fit the context. */
interface Text {
  readonly name: string;
  readonly windows: readonly (readonly number[])[];
}

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    model: { type: "string", multiple: true, default: [...MODELS] },
  },
});
const models = chosen("bench:quality", "model", options.model, MODELS);

const TEXTS: Readonly<Record<Measured, (source: ModelSource) => Promise<Text[]>>> = {
  "synthetic-124m": syntheticTexts,
  shakespeare: shakespeareTexts,
  stories: storiesTexts,
};

const device = createWasmBackend({ deterministic: true });
const errors: QualityErrors[] = [];
for (const name of models) errors.push(...(await measure(name)));
device.dispose();

const failures = errors.flatMap(exceeded);
const conditions = await runConditions(process.execPath);
if (!options.quick && models.length === MODELS.length) {
  const command = "npm run bench:quality";
  const result: QualityResult = { kind: "quality", command, conditions, bounds: BOUNDS, errors };
  console.log(`\nwrote ${await writeResult("quality", conditions, result)}`);
}
for (const failure of failures) console.error(`FAILED: ${failure}`);
process.exit(failures.length === 0 ? 0 : 1);

async function measure(name: Measured): Promise<QualityErrors[]> {
  const source = await modelSource(await modelFolder(name));
  const base = await loadModel(source, { device, dtype: "f32" });
  const loaded = [base];
  const others: { readonly dtype: MatrixEncoding; readonly cacheDtype: MatrixEncoding; readonly model: Model }[] = [];
  for (const dtype of DTYPES) {
    const model = dtype === "f32" ? base : await loadModel(source, { device, dtype });
    if (model !== base) loaded.push(model);
    for (const cacheDtype of VARIANTS[dtype]) others.push({ dtype, cacheDtype, model: { ...model, cacheDtype } });
  }
  const texts = await TEXTS[name](source);
  const measured: QualityErrors[] = [];
  for (const { name: text, windows } of texts) {
    const chosen = options.quick ? windows.slice(0, 1).map((ids) => ids.slice(0, QUICK_TOKENS)) : windows;
    const comparisons = await compareModels([base, ...others.map(({ model }) => model)], chosen);
    for (const [i, comparison] of comparisons.entries()) {
      const { dtype, cacheDtype } = others[i]!;
      const found = { model: name, text, dtype, cacheDtype, ...comparison.summary() };
      measured.push(found);
      console.log(describeErrors(found));
    }
  }
  for (const model of loaded) disposeModel(model);
  return measured;
}

/** The held-out Shakespeare of the reference values, and prose of another kind. */
async function shakespeareTexts(source: ModelSource): Promise<Text[]> {
  const heldOut = await longestPrompt("shakespeare");
  const ids = (await loadTokenizer(source)).encode(await readFile(PROSE, "utf8"));
  return [
    { name: "held-out Shakespeare", windows: [heldOut] },
    { name: "docs/reading.md", windows: windowsOf(ids, heldOut.length) },
  ];
}

/** The beginning of the novel by which it was measured while it learned, and that of a book that it has not seen either. */
async function storiesTexts(source: ModelSource): Promise<Text[]> {
  const heldOut = await longestPrompt("stories");
  const ids = (await loadTokenizer(source)).encode(await readBook());
  const windows = windowsOf(ids.slice(0, BOOK_WINDOWS * heldOut.length), heldOut.length);
  return [
    { name: "Emma", windows: [heldOut] },
    { name: BOOK_TITLE, windows },
  ];
}

async function syntheticTexts(): Promise<Text[]> {
  const longest = await longestPrompt("synthetic-124m");
  return [{ name: "hashed ids", windows: windowsOf(longest, longest.length / 2) }];
}

/** Of the reference values. */
async function longestPrompt(model: Measured): Promise<readonly number[]> {
  return [...(await readReference(model)).at(-1)!.ids];
}

/**
 * The bounds that a text exceeds: of a dtype with its default for keys and values. Perplexity is bounded where the text is of a kind
 * that the model knows.
 */
function exceeded(found: QualityErrors): string[] {
  const bound = BOUNDS.find(({ model, dtype }) => model === found.model && dtype === found.dtype);
  if (bound === undefined || found.cacheDtype !== defaultCacheDtype(bound.dtype)) return [];
  const change = Math.abs(found.perplexity / found.basePerplexity - 1);
  const broken = [
    !(found.meanKl <= (bound.meanKl ?? Infinity)) && `mean KL ${found.meanKl} above ${bound.meanKl}`,
    !(found.top1 >= (bound.top1 ?? 0)) && `top-1 agreement ${found.top1} below ${bound.top1}`,
    !(change <= (bound.perplexityChange ?? Infinity)) && `perplexity changes by ${change}`,
  ];
  return broken
    .filter((line) => line !== false)
    .map((line) => `${found.model}, ${found.text}, ${found.dtype}, cache ${found.cacheDtype}: ${line}`);
}
