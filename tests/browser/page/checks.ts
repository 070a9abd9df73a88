// What is checked in a page, in a worker of a page, and, for the values to expect, in Node: the same code in all three.
// Arguments and results are JSON.
import {
  disposeModel,
  type GenerateOptions,
  GPT2,
  type GPT2Config,
  initialModel,
  type ModelFiles,
  type Score,
  TokenIdError,
  Tokenizer,
  trainBPE,
} from "@gpt2-ts/gpt2";
import { compress, decompress } from "@gpt2-ts/gpt2/compress";
import { drawLens } from "@gpt2-ts/gpt2/draw";
import { contributions, logitLens, type Trace, trace } from "@gpt2-ts/gpt2/look";
import { encodeDocuments, holdOut, modelFile, train } from "@gpt2-ts/gpt2/train";
import { GPT2Worker } from "@gpt2-ts/gpt2/worker";
import * as gt from "@gpt2-ts/tensor";
import { open, parse, type SafeTensors, SafetensorsError, serialize } from "safetensors-ts";
import { fingerprint, largestDifference } from "./compare.ts";

/** How a model is loaded: from `url`, or from the files at `url` as Blobs; the device that the model is to make. */
export interface ModelChoice {
  readonly url: string;
  readonly as?: "url" | "files";
  readonly threads?: number;
  readonly deterministic?: boolean;
  readonly dtype?: "int8";
}

async function load({ url, as = "url", ...device }: ModelChoice): Promise<GPT2> {
  return GPT2.load(as === "url" ? url : await filesAt(url), device);
}

const FILES = ["config.json", "vocab.json", "merges.txt", "model.safetensors"];

async function filesAt(url: string, names: readonly string[] = FILES): Promise<ModelFiles> {
  const files = names.map(async (name) => [name, new File([await (await fetch(`${url}/${name}`)).blob()], name)]);
  return Object.fromEntries(await Promise.all(files));
}

/** What the engine and the page give, and what the default backend makes of it. */
export function environment() {
  const backend = gt.createWasmBackend();
  const { threads, relaxedSimd } = backend.info();
  backend.dispose();
  return {
    isolated: globalThis.crossOriginIsolated,
    mayWait: mayWait(),
    hasPage: typeof document !== "undefined",
    cores: navigator.hardwareConcurrency,
    threads,
    relaxedSimd,
  };
}

function mayWait(): boolean {
  if (typeof SharedArrayBuffer === "undefined") return false;
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}

/** The logits of a prompt of the reference file: their distance from it, and their bits. */
export async function logits(choice: ModelChoice & { readonly reference: string; readonly prompt: "A" | "B" }) {
  const { reference, prompt, ...model } = choice;
  using gpt2 = await load(model);
  await using expected = await open(reference);
  const ids = await expected.read(`${prompt}.ids`);
  using actual = gpt2.logits(Array.from(ids.data as Int32Array));
  const data = await actual.data();
  return {
    shape: [...actual.shape],
    error: largestDifference(data, await expected.readFloat32(`${prompt}.logits`)),
    bits: await fingerprint(data),
  };
}

/** A text generated piece by piece. `turns`: how often the event loop came round meanwhile. */
export async function generate(choice: ModelChoice & { readonly prompt: string; readonly options: GenerateOptions }) {
  const { prompt, options, ...model } = choice;
  using gpt2 = await load(model);
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const pieces: string[] = [];
  const stream = gpt2.stream(prompt, options);
  let step = await stream.next();
  for (; !step.done; step = await stream.next()) pieces.push(step.value);
  clearInterval(timer);
  return { pieces, result: step.value, turns };
}

/** The same with the model in a worker of the page, and what else is different there: an error's class, the threads' end. */
export async function inWorker(choice: ModelChoice & { readonly prompt: string; readonly options: GenerateOptions }) {
  const { prompt, options, url, as = "url", ...device } = choice;
  const model = await GPT2Worker.load(as === "url" ? url : await filesAt(url), device);
  const pieces: string[] = [];
  const stream = model.stream(prompt, options);
  let step = await stream.next();
  for (; !step.done; step = await stream.next()) pieces.push(step.value);
  const logits = await model.logits(prompt);
  const bits = await fingerprint(await logits.data());
  const traced = await tracedBits(await model.trace(prompt, LOOK));
  const lens = await model.logitLens(prompt, LOOK);
  const error = await model.score([-1]).catch((error: unknown) => error);
  model.dispose();
  const afterwards = await errorOf(() => model.generate(prompt));
  return {
    pieces,
    result: step.value,
    bits,
    traced,
    lens,
    tokenIdError: error instanceof TokenIdError,
    afterwards: afterwards?.name,
  };
}

/** Which parts of the model are switched off where it is looked into. */
const LOOK = { ablate: ["h.1.attn.head.2"] };

/** What is seen inside a model, and a picture of it, which the page shows. */
export async function inside(choice: ModelChoice & { readonly prompt: string }) {
  const { prompt, ...device } = choice;
  using model = await load(device);
  const lens = await logitLens(model, prompt, LOOK);
  const svg = drawLens(lens);
  const shown = globalThis.document === undefined ? undefined : widthOf(svg);
  const { parts } = await contributions(model, prompt);
  return { traced: await tracedBits(await trace(model, prompt, LOOK)), lens, parts, svg, shown };
}

async function tracedBits({ values }: Trace): Promise<Record<string, string>> {
  return Object.fromEntries(await Promise.all(values.map(async ({ name, data }) => [name, await fingerprint(data)])));
}

/** Of a picture in the page, in pixels. */
function widthOf(svg: string): number {
  const figure = document.createElement("figure");
  figure.innerHTML = svg;
  document.body.append(figure);
  const { width } = figure.firstElementChild!.getBoundingClientRect();
  figure.remove();
  return width;
}

/** The error of a worker whose file is not there. */
export async function workerError() {
  const worker = new Worker("not-there.js", { type: "module" });
  return errorOf(() => GPT2Worker.load("weights/shakespeare", { worker }));
}

/** Leaves a generation in the middle, by an AbortSignal. */
export async function abort(choice: ModelChoice) {
  using gpt2 = await load(choice);
  const controller = new AbortController();
  let pieces = 0;
  try {
    for await (const _ of gpt2.stream("To be", { seed: 1, signal: controller.signal })) {
      if (++pieces === 5) controller.abort();
    }
  } catch (error) {
    return { pieces, error: (error as Error).name };
  }
  return { pieces, error: undefined };
}

export async function score(choice: ModelChoice & { readonly texts: readonly string[] }): Promise<Score[]> {
  const { texts, ...model } = choice;
  using gpt2 = await load(model);
  return await gpt2.scoreAll(texts);
}

/** A text compressed, and another file opened: made elsewhere, it has to be the same. */
export async function compression(choice: ModelChoice & { readonly text: string; readonly file?: number[] }) {
  const { text, file, ...model } = choice;
  using gpt2 = await load(model);
  const made = await compress(gpt2, new TextEncoder().encode(text));
  const opened = await decompress(gpt2, file ? Uint8Array.from(file) : made);
  return { file: Array.from(made), opened: new TextDecoder().decode(opened) };
}

export { compressions } from "./compressions.ts";

export async function fromPretrained(name: string, endpoint: string, options: { revision?: string } = {}) {
  let loaded = 0;
  using model = await GPT2.fromPretrained(name, {
    ...options,
    endpoint,
    cache: false,
    deterministic: true,
    onProgress: (progress) => {
      if (progress.type === "load") loaded = progress.loaded / progress.total;
    },
  });
  return { loaded, bits: await bitsOf(model) };
}

/** A model from scratch, with a vocabulary learned in the page: its losses, and the bits of its file. */
export async function training({ text, threads }: { readonly text: string; readonly threads?: number }) {
  const device = gt.createWasmBackend({ deterministic: true, ...(threads !== undefined && { threads }) });
  const learned = await trainBPE(text, { vocabSize: 280 });
  const tokenizer = Tokenizer.fromVocab({ ...learned.toFiles(), specialTokens: learned.specialTokens });
  const { ids } = await encodeDocuments([text], tokenizer);
  const model = initialModel({ ...SMALL, vocabSize: tokenizer.vocabSize }, { seed: 5, device });
  const losses: number[] = [];
  const { heldOutLoss } = await train(model, holdOut(ids, 0.1), {
    steps: 20,
    batchTokens: 64,
    microBatchTokens: 32,
    learningRate: 1e-2,
    dropout: 0.1,
    onProgress: (progress) => {
      if (progress.type === "step") losses.push(progress.loss);
    },
  });
  const bits = await fingerprint(await modelFile(model));
  disposeModel(model);
  device.dispose();
  return { losses, heldOutLoss, bits };
}

const SMALL: Omit<GPT2Config, "vocabSize"> = {
  nLayer: 2,
  nHead: 2,
  nEmbd: 16,
  nInner: 64,
  nPositions: 16,
  activation: "gelu",
  layerNormEpsilon: 1e-5,
  scaleAttnWeights: true,
  scaleAttnByInverseLayerIdx: false,
  tieWordEmbeddings: true,
  bosTokenId: undefined,
  eosTokenIds: [],
};

/** The bits of the logits of a text. */
export async function textBits(choice: ModelChoice): Promise<string> {
  using model = await load(choice);
  return await bitsOf(model);
}

async function bitsOf(model: GPT2): Promise<string> {
  using actual = model.logits("To be, or not to be");
  return await fingerprint(await actual.data());
}

/** What a fine-tune makes of texts with added tokens in them: ids, and the logits after the last token of the first text. */
export async function fineTune({
  texts,
  files,
  ...choice
}: ModelChoice & { texts: readonly string[]; files?: readonly string[] }) {
  const warnings: string[] = [];
  const where = files === undefined ? choice.url : await filesAt(choice.url, files);
  using model = await GPT2.load(where, { deterministic: true, onWarning: (warning) => warnings.push(warning) });
  const ids = texts.map((text) => model.tokenizer.encode(text, { allowedSpecial: "all" }));
  using logits = model.logits(ids[0]!);
  return { warnings, ids, last: Array.from((await logits.data()).slice(-model.config.vocabSize)) };
}

/** The name and message of the error that loading ends in. */
export async function loadingError(where: string, options: object = {}) {
  return errorOf(async () => (await GPT2.load(where, options)).dispose());
}

export async function pretrainedError(name: string, options: object) {
  return errorOf(async () => (await GPT2.fromPretrained(name, options)).dispose());
}

async function errorOf(action: () => Promise<unknown>) {
  try {
    await action();
    return undefined;
  } catch (error) {
    const { name, message } = error as Error;
    return { name, message };
  }
}

/** The bits of the results of ops of every family, by name. */
export async function ops(deviceName: gt.DeviceChoice): Promise<Record<string, string>> {
  const device = deviceName === "wasm" ? gt.createWasmBackend({ deterministic: true }) : gt.device(deviceName);
  const results: Record<string, string> = {};
  for (const [name, result] of Object.entries(opResults(device))) {
    results[name] = await fingerprint(await result.contiguous().data());
    result.dispose();
  }
  if ("dispose" in device) (device as { dispose(): void }).dispose();
  return results;
}

/** The largest difference of the wasm device (as fast as it gets) from the reference, by op: a share of the largest value. */
export async function distances(): Promise<Record<string, number>> {
  const device = gt.createWasmBackend();
  const [wasm, reference] = [opResults(device), opResults(gt.device("reference"))];
  const differences: Record<string, number> = {};
  for (const [name, expected] of Object.entries(reference)) {
    const actual = wasm[name] as gt.AnyTensor;
    const values = await expected.contiguous().data();
    let largest = 0;
    for (const value of values) largest = Math.max(largest, Math.abs(value));
    differences[name] = largestDifference(await actual.contiguous().data(), values) / largest;
  }
  device.dispose();
  return differences;
}

function opResults(device: gt.DeviceChoice | ReturnType<typeof gt.device>): Record<string, gt.AnyTensor> {
  const seed = new gt.Generator(20190929);
  const a = gt.randn([65, 130], { seed, device });
  const b = gt.randn([130, 47], { seed, device });
  const large = gt.randn([512, 512], { seed, device });
  const row = gt.randn([130], { seed, device });
  const ids = gt.tensor([5, 0, 64, 5], { dtype: "int32", device });
  return {
    matmul: a.matmul(b),
    largeMatmul: large.matmul(large.transpose()),
    packed: a.matmul(b.pack()),
    broadcast: a.add(row).mul(2).div(a.abs().add(1)),
    exp: a.exp(),
    log: a.abs().log(),
    tanh: a.tanh(),
    gelu: gt.gelu(a),
    geluErf: gt.gelu(a, "none"),
    softmax: a.softmax(1),
    logSoftmax: a.logSoftmax(0),
    layerNorm: gt.layerNorm(a, row, row),
    sum: a.sum(0),
    mean: a.mean(1),
    max: a.max(1),
    argMax: a.argMax(1),
    topK: gt.topK(a, 5).values,
    cumsum: gt.cumsum(a, 1),
    embedding: gt.embedding(a, ids),
    where: gt.where(a.gt(0), a, a.neg()),
    concat: gt.concat([a, a.mul(0.5)], 1),
    transposed: a.transpose(),
    slice: a.slice(0, 3, 20),
    uniform: gt.rand([100], { seed, device }),
  };
}

/** Threads of a page: what they are while they are there, and what is left of them. */
export async function threads(count: number) {
  const backend = gt.createWasmBackend({ threads: count });
  const before = await product(backend);
  // Workers start once the event loop has turned; the calling thread did the first product alone.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const after = await product(backend);
  const { threads } = backend.info();
  const workers = backend.runtime.pool?.workers.length ?? 0;
  backend.dispose();
  const error = await errorOf(() => product(backend));
  return { threads, workers, same: before === after, error };
}

/** The error of the first op after it is known that threads could not be started. */
export async function threadsError(count: number) {
  const backend = gt.createWasmBackend({ threads: count });
  const error = await firstErrorOf(() => product(backend));
  backend.dispose();
  return { error };
}

/** The error that something has at last, which the event loop has to bring. */
async function firstErrorOf(action: () => Promise<unknown>) {
  for (let tries = 0; tries < 3000; tries++) {
    const error = await errorOf(action);
    if (error !== undefined) return error;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return undefined;
}

async function product(device: ReturnType<typeof gt.device>): Promise<string> {
  const seed = new gt.Generator(1);
  const a = gt.randn([300, 400], { seed, device });
  const b = gt.randn([400, 500], { seed, device });
  return fingerprint(await a.matmul(b).data());
}

/** A worker that traps: the error that the calling thread gets. */
export async function failingWorker() {
  const backend = gt.createWasmBackend({ threads: 2, workerTimeout: 5000 });
  await product(backend);
  // Until the worker has started, the calling thread does it all.
  const failure = await firstErrorOf(async () => backend.runtime.run("faultJob", 8, [1]));
  const afterwards = await errorOf(() => product(backend));
  backend.dispose();
  return { failure, afterwards };
}

/** The bits of a tensor of a safetensors file, read in every way that a page has. */
export async function safetensorsSources(url: string, relative: string | undefined, tensor: string) {
  const bytes = await (await fetch(url)).arrayBuffer();
  const read = async (file: SafeTensors) => {
    const data = await file.readFloat32(tensor);
    await file.close();
    return fingerprint(data);
  };
  return {
    url: await read(await open(url)),
    ...(relative !== undefined && { relative: await read(await open(relative)) }),
    urlObject: await read(await open(new URL(url))),
    blob: await read(await open(new Blob([bytes]))),
    file: await read(await open(new File([bytes], "model.safetensors"))),
    buffer: await read(await open(bytes)),
    parsed: await read(parse(new Uint8Array(bytes))),
    written: await read(parse(await rewritten(parse(bytes), tensor))),
  };
}

async function rewritten(file: SafeTensors, tensor: string): Promise<Uint8Array> {
  const { shape } = file.info(tensor);
  return serialize({ [tensor]: { dtype: "F32", shape, data: await file.readFloat32(tensor) } });
}

/** The code of the error that opening ends in. */
export async function safetensorsError(url: string): Promise<string | undefined> {
  try {
    await (await open(url)).close();
    return undefined;
  } catch (error) {
    return error instanceof SafetensorsError ? error.code : String(error);
  }
}
