import { type Backend, createWasmBackend, type DeviceChoice, device as deviceByName } from "@gpt2-ts/tensor";
import type { GpuMode } from "@gpt2-ts/tensor/gpu";
import { checkChoice, OptionError } from "@gpt2-ts/tensor/options";
import { checkFlag, checkInteger } from "./options.ts";

/** What a model runs on. */
export interface DeviceOptions {
  /**
   * `"wasm"` (the default: WebAssembly SIMD and threads), `"gpu"` (GPU.js, which has to be installed beside this package),
   * `"reference"` (plain TypeScript, slow), or a backend.
   */
  readonly device?: DeviceChoice | "gpu" | Backend | undefined;
  /** Threads of the wasm device, including the calling one. Default: as many as there are cores worth using. */
  readonly threads?: number | undefined;
  /** Makes the wasm device give the same bits on every engine, without relaxed SIMD. Default false. */
  readonly deterministic?: boolean | undefined;
  /** What the gpu device computes with. Default `"auto"`: the fastest that works here, by a short measurement. */
  readonly gpuMode?: GpuMode | "auto" | undefined;
}

export const deviceOptionNames = ["device", "threads", "deterministic", "gpuMode"] as const;

/** A device, and a function that disposes of it if it is the model's own. */
export interface OpenDevice {
  readonly device: Backend;
  readonly release: () => void;
}

/**
 * The device that the options ask for. The gpu device's code is imported only here, when it is asked for.
 *
 * @throws OptionError; DeviceError for a device that cannot work here
 */
export async function openDevice(options: DeviceOptions): Promise<OpenDevice> {
  const { device = "wasm", threads, deterministic, gpuMode } = options;
  checkInteger("threads", threads, 1);
  checkFlag("deterministic", deterministic);
  refuse(device !== "wasm", "wasm", { threads, deterministic });
  refuse(device !== "gpu", "gpu", { gpuMode });
  if (typeof device !== "string") return { device, release: () => {} };
  if (device === "gpu") {
    const { createGpuBackend, gpuModes } = await import("@gpt2-ts/tensor/gpu");
    checkChoice("gpuMode", gpuMode, ["auto", ...gpuModes]);
    const own = await createGpuBackend({ mode: gpuMode });
    return { device: own, release: () => own.dispose() };
  }
  if (device === "wasm" && (threads !== undefined || deterministic !== undefined)) {
    const own = createWasmBackend({
      ...(threads !== undefined && { threads }),
      ...(deterministic !== undefined && { deterministic }),
    });
    return { device: own, release: () => own.dispose() };
  }
  return { device: deviceByName(device), release: () => {} };
}

/** Throws an {@link OptionError} for an option of `owner` when another device was chosen. */
function refuse(another: boolean, owner: "wasm" | "gpu", options: Readonly<Record<string, unknown>>): void {
  if (!another) return;
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) throw new OptionError(name, `is for device "${owner}" only`);
  }
}
