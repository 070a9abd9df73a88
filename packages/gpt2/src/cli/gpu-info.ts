import type { GpuInfo } from "@gpt2-ts/tensor/gpu";
import { oneLine } from "./report.ts";

/** What the gpu device would run on. */
export interface GpuFound {
  readonly summary: string;
  /** Undefined where it is not available, for the reason that `summary` gives. */
  readonly mode: GpuInfo["mode"] | undefined;
  readonly adapter: GpuInfo["adapter"];
  readonly maxArrayBytes: GpuInfo["maxArrayBytes"];
  /** What each mode of GPU.js answered. */
  readonly trials: GpuInfo["trials"];
  /** Kernels that GPU.js moved to the CPU, and why. */
  readonly degraded: GpuInfo["degraded"];
}

/** Opens the gpu device as `--device gpu` would, and asks it what it is. */
export async function findGpu(): Promise<GpuFound> {
  try {
    const { createGpuBackend } = await import("@gpt2-ts/tensor/gpu");
    const device = await createGpuBackend();
    const { mode, adapter, maxArrayBytes, trials, degraded } = device.info();
    device.dispose();
    return { summary: describe(mode, adapter), mode, adapter, maxArrayBytes, trials, degraded };
  } catch (error) {
    const summary = `not available: ${oneLine(error).replace(/^gpu: /, "")}`;
    return { summary, mode: undefined, adapter: undefined, maxArrayBytes: undefined, trials: [], degraded: {} };
  }
}

function describe(mode: GpuInfo["mode"], adapter: GpuInfo["adapter"]): string {
  if (mode === "webasm" || mode === "cpu") return `mode ${mode} of GPU.js, on the CPU`;
  if (!adapter) return `mode ${mode} of GPU.js`;
  const { vendor, architecture, device, description } = adapter;
  return `mode ${mode} of GPU.js, on ${[vendor, architecture, description || device].filter(Boolean).join(" ")}`;
}
