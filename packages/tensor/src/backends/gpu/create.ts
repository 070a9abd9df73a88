import { DeviceError } from "../../errors.ts";
import { createWasmBackend } from "../wasm/index.ts";
import { type AdapterDescription, describeAdapter } from "./adapter.ts";
import { GpuBackend } from "./backend.ts";
import { type GpuJs, type GpuMode, loadGpuJs } from "./gpu-js.ts";
import { HostRuntime } from "./host-runtime.ts";
import { Launcher } from "./launcher.ts";
import { chooseMode, requireMode } from "./mode.ts";
import type { ModeRuntime } from "./runtime.ts";
import { WebGpuRuntime } from "./webgpu-runtime.ts";

export interface GpuOptions {
  /** What GPU.js computes with. Default `"auto"`: what works here and is fastest, by a measurement of about a second. */
  readonly mode?: GpuMode | "auto" | undefined;
  /** Whether a kernel that GPU.js moves to the CPU may run there. Default false: it is an error. */
  readonly allowFallback?: boolean | undefined;
}

/**
 * A GPU backend in one mode of GPU.js. Throws {@link DeviceError}, saying what to install or switch on, where GPU.js is
 * not installed or the mode does not work.
 */
export async function createGpuBackend(options: GpuOptions = {}): Promise<GpuBackend> {
  const { mode: wanted = "auto", allowFallback = false } = options;
  const gpuJs = await loadGpuJs();
  const { mode, trials } = wanted === "auto" ? await chooseMode(gpuJs) : { mode: wanted, trials: [] };
  await requireMode(gpuJs, mode);
  const { runtime, adapter, maxArrayBytes } = await start(gpuJs, mode);
  const degraded = new Map<string, string>();
  const launcher = new Launcher(new gpuJs.GPU({ mode }), runtime, allowFallback, (kernel, reason) => {
    degraded.set(kernel, reason);
  });
  return new GpuBackend({ launcher, inner: createWasmBackend(), adapter, maxArrayBytes, degraded, trials });
}

interface Started {
  readonly runtime: ModeRuntime;
  readonly adapter: AdapterDescription | undefined;
  readonly maxArrayBytes: number | undefined;
}

async function start(gpuJs: GpuJs, mode: GpuMode): Promise<Started> {
  switch (mode) {
    case "webgpu": {
      const context = await gpuJs.WebGPUContext.acquire();
      const { maxBufferSize, maxStorageBufferBindingSize } = context.device.limits;
      return {
        runtime: new WebGpuRuntime(gpuJs, context),
        adapter: describeAdapter(context.adapter),
        maxArrayBytes: Math.min(maxBufferSize, maxStorageBufferBindingSize),
      };
    }
    case "webasm":
    case "cpu":
      return { runtime: new HostRuntime(gpuJs, mode), adapter: undefined, maxArrayBytes: undefined };
    default:
      throw new DeviceError("gpu", `there is no mode ${mode}`);
  }
}
