// What is checked of the gpu device in a page. Arguments and results are JSON.
import { Batch, disposeModel, forward, GPT2, loadModel, logits, modelSource } from "@gpt2-ts/gpt2";
import { tensor } from "@gpt2-ts/tensor";
import { createGpuBackend, type GpuBackend } from "@gpt2-ts/tensor/gpu";
import * as gpuJs from "gpu.js"; // handed over, as programs that are bundled do
import { open } from "safetensors-ts";
import { largestDifference } from "./compare.ts";

/** The modes that use a browser's GPU. */
export type BrowserMode = "webgpu" | "webgl2";

const backends = new Map<BrowserMode, Promise<GpuBackend>>();

/** One backend for each mode. */
export function backendIn(mode: BrowserMode): Promise<GpuBackend> {
  const backend = backends.get(mode) ?? createGpuBackend({ mode, gpuJs });
  backends.set(mode, backend);
  return backend;
}

/** What the mode runs on. */
export async function info(mode: BrowserMode) {
  const { mode: found, adapter, degraded } = (await backendIn(mode)).info();
  return { mode: found, adapter, degraded };
}

/** What mode "auto" found. */
export async function automatic() {
  const device = await createGpuBackend({ gpuJs });
  const { mode, trials } = device.info();
  device.dispose();
  return { mode, trials };
}

/** The distance of the logits of a reference file's prompt from it, and the ops that were left to the CPU. */
export async function modelLogits(mode: BrowserMode, url: string, reference: string, prompt: string) {
  const device = await backendIn(mode);
  device.fallbacks.clear();
  const model = await loadModel(await modelSource(url), { device });
  await using expected = await open(reference);
  const { data: ids } = await expected.read(`${prompt}.ids`);
  using batch = new Batch(model, [{ ids: ids as Int32Array }]);
  using x = forward(model, batch);
  using scores = logits(model, x);
  const error = largestDifference(await scores.data(), await expected.readFloat32(`${prompt}.logits`));
  disposeModel(model);
  return { tokens: ids.length, error, fallbacks: device.fallbacks.entries() };
}

/** The text that the likeliest tokens make, on the gpu device and on the wasm device. */
export async function generated(mode: BrowserMode, url: string, prompt: string, maxTokens: number) {
  const options = { maxTokens, temperature: 0 };
  using onGpu = await GPT2.load(url, { device: await backendIn(mode) });
  using onWasm = await GPT2.load(url);
  const [gpu, wasm] = [await onGpu.generate(prompt, options), await onWasm.generate(prompt, options)];
  return { gpu: gpu.text, wasm: wasm.text };
}

/** Log-probabilities of texts on the gpu device, and how far they are from those of the wasm device. */
export async function scored(mode: BrowserMode, url: string, texts: readonly string[]) {
  using onGpu = await GPT2.load(url, { device: await backendIn(mode) });
  using onWasm = await GPT2.load(url);
  const [gpu, wasm] = [await onGpu.scoreAll(texts), await onWasm.scoreAll(texts)];
  const logprobs = (scores: typeof gpu) => scores.flatMap((score) => [...score.logprobs]);
  return { count: logprobs(gpu).length, difference: largestDifference(logprobs(gpu), logprobs(wasm)) };
}

/** The error that asking for a mode ends in, and what the page can compute afterwards. */
export async function missing(mode: BrowserMode) {
  const error = await errorOf(async () => (await createGpuBackend({ mode, gpuJs })).dispose());
  return { error, afterwards: await tensor([1, 2]).add(1).toList() };
}

/** The error of an op after the device was taken away, and what a new backend computes then. */
export async function lost(mode: BrowserMode) {
  const takeAway = mode === "webgpu" ? catchDevice() : catchContext();
  const device = await createGpuBackend({ mode, gpuJs });
  const x = tensor([1, 2], { device });
  const before = await x.add(1).toList();
  await takeAway();
  const error = await errorOf(async () => x.add(1).toList());
  const again = await createGpuBackend({ mode, gpuJs });
  return { before, error, afterwards: await tensor([1, 2], { device: again }).add(2).toList() };
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

/** Remembers the WebGPU device that will be made, whoever makes it; the result destroys it. */
function catchDevice(): () => Promise<unknown> {
  const { requestDevice } = GPUAdapter.prototype;
  let device: GPUDevice | undefined;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    device = await requestDevice.apply(this, args);
    return device;
  };
  return async () => {
    device!.destroy();
    await device!.lost;
  };
}

/** As {@link catchDevice}, for WebGL contexts. */
function catchContext(): () => Promise<unknown> {
  const contexts: WebGL2RenderingContext[] = [];
  for (const { prototype } of [HTMLCanvasElement, OffscreenCanvas]) {
    const { getContext } = prototype;
    prototype.getContext = function (this: HTMLCanvasElement & OffscreenCanvas, ...args: never[]) {
      const context: unknown = (getContext as (...args: never[]) => unknown).apply(this, args);
      if (context instanceof WebGL2RenderingContext && !contexts.includes(context)) contexts.push(context);
      return context;
    } as never;
  }
  return async () => {
    for (const context of contexts) context.getExtension("WEBGL_lose_context")?.loseContext();
    await new Promise((resolve) => setTimeout(resolve, 100)); // the browser tells of it from its event loop
  };
}
