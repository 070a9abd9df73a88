import type { GpuInfo, GpuMode } from "@gpt2-ts/tensor/gpu";
import { oneLine } from "./report.ts";

/** What the gpu device would run on. */
export interface GpuFound {
  readonly summary: string;
  /** Undefined where it is not available; `summary` says why. */
  readonly mode: GpuInfo["mode"] | undefined;
  readonly adapter: GpuInfo["adapter"];
  readonly maxArrayBytes: GpuInfo["maxArrayBytes"];
  /** What each mode of GPU.js answered. */
  readonly trials: GpuInfo["trials"];
  /** Kernels that GPU.js moved to the CPU, and why. */
  readonly degraded: GpuInfo["degraded"];
}

/** Opens the gpu device as `--device gpu --gpu-mode MODE` would, and describes it. */
export async function findGpu(wanted?: GpuMode | "auto"): Promise<GpuFound> {
  try {
    const { adapterName, createGpuBackend } = await import("@gpt2-ts/tensor/gpu");
    const device = await createGpuBackend({ mode: wanted });
    const { mode, adapter, maxArrayBytes, trials, degraded } = device.info();
    device.dispose();
    const where = mode === "webasm" || mode === "cpu" ? "the CPU" : adapter ? adapterName(adapter) : "the GPU";
    return { summary: `mode ${mode} of GPU.js, on ${where}`, mode, adapter, maxArrayBytes, trials, degraded };
  } catch (error) {
    const reason = isMissing(error) ? "GPU.js is not installed: npm install gpu.js webgpu" : oneLine(error);
    const summary = `not available: ${reason.replace(/^gpu: /, "")}`;
    return { summary, mode: undefined, adapter: undefined, maxArrayBytes: undefined, trials: [], degraded: {} };
  }
}

/** Whether GPU.js is not there. The device's own message tells programs more. */
function isMissing(error: unknown): boolean {
  const { cause } = error as { readonly cause?: { readonly code?: string } };
  return cause?.code === "ERR_MODULE_NOT_FOUND";
}
