import { type Backend, createWasmBackend, device as deviceByName } from "@gpt2-ts/tensor";
import { checkChoice, OptionError } from "@gpt2-ts/tensor/options";
import type { DeviceOptions } from "./device-options.ts";
import { checkFlag, checkInteger } from "./options.ts";

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
