import { DeviceError } from "../../errors.ts";
import type { WebGpuAdapter } from "./platform-types.ts";

/** What a WebGPU adapter says about itself; empty where the platform does not say. */
export interface AdapterDescription {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
}

/**
 * Makes sure that `navigator.gpu` exists, where GPU.js looks for it: browsers have it, in Node the package `webgpu` makes it.
 * Throws {@link DeviceError} when there is none, or no adapter.
 *
 * @returns the adapter
 */
export async function provideWebGpu(): Promise<AdapterDescription> {
  if (!hasWebGpu()) {
    if (!isNode()) {
      throw new DeviceError(
        "gpu",
        "this browser has no WebGPU (navigator.gpu); it needs a secure page (https or localhost) and, in Chromium on " +
          "Linux, the flag --enable-unsafe-webgpu",
      );
    }
    await provideInNode();
  }
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new DeviceError("gpu", `WebGPU found no adapter; ${adapterAdvice()}`);
  return describeAdapter(adapter);
}

/** An adapter in a few words, such as `nvidia ampere NVIDIA A100`. */
export function adapterName({ vendor, architecture, device, description }: AdapterDescription): string {
  return [vendor, architecture, description || device].filter(Boolean).join(" ") || "an adapter without a name";
}

export function describeAdapter(adapter: WebGpuAdapter): AdapterDescription {
  const { vendor, architecture, device, description } = adapter.info;
  return { vendor, architecture, device, description };
}

function hasWebGpu(): boolean {
  return typeof navigator === "object" && "gpu" in navigator && Boolean(navigator.gpu);
}

export function isNode(): boolean {
  return typeof process === "object" && typeof process.versions?.node === "string";
}

/** Imports a package that need not be installed, when the program runs: bundlers do not follow. */
export function importOptional<Module>(name: "gpu.js" | "webgpu" | "gl"): Promise<Module> {
  return import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ name);
}

async function provideInNode(): Promise<void> {
  let gpu: GPU;
  try {
    const webgpu: { create(options: readonly string[]): GPU } = await importOptional("webgpu");
    gpu = webgpu.create([]);
  } catch (cause) {
    const missing = (cause as { readonly code?: unknown }).code === "ERR_MODULE_NOT_FOUND";
    const reason = missing ? "" : ` (the one here does not load: ${(cause as Error).message})`;
    throw new DeviceError(
      "gpu",
      `WebGPU in Node needs the package webgpu, 0.6 or later: npm install gpu.js webgpu${reason}`,
      { cause },
    );
  }
  // Node 20 has no navigator at all; later versions have one that takes new properties.
  if (typeof navigator !== "object") Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
}

function adapterAdvice(): string {
  return isNode()
    ? "in Node it needs a driver: on Linux the Vulkan loader (libvulkan1) and a driver that it finds, by " +
        "VK_DRIVER_FILES if need be"
    : "the browser may have blocked this GPU: see chrome://gpu or about:support, and the flag --ignore-gpu-blocklist";
}
