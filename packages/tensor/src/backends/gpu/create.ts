import { DeviceError } from "../../errors.ts";
import { checkOptionNames } from "../../options.ts";
import { createWasmBackend } from "../wasm/index.ts";
import { type AdapterDescription, describeAdapter } from "./adapter.ts";
import { GpuBackend } from "./backend.ts";
import { GlRuntime } from "./gl-runtime.ts";
import { type Gpu, type GpuJs, type GpuMode, loadGpuJs } from "./gpu-js.ts";
import { HostRuntime } from "./host-runtime.ts";
import { Launcher } from "./launcher.ts";
import { chooseMode, requireMode } from "./mode.ts";
import type { ModeRuntime } from "./runtime.ts";
import { WebGpuRuntime } from "./webgpu-runtime.ts";

export interface GpuOptions {
  /** What GPU.js computes with. Default `"auto"`: the fastest that works here, by a measurement of about a second. */
  readonly mode?: GpuMode | "auto" | undefined;
  /** Whether a kernel that GPU.js moves to the CPU may run there. Default false: it is an error. */
  readonly allowFallback?: boolean | undefined;
  /**
   * GPU.js, where the program imports it itself: `await import("gpu.js")`. Programs that are bundled do, because this package
   * leaves its optional import of GPU.js to the moment when the program runs. Default: the installed one.
   */
  readonly gpuJs?: object | undefined;
}

/**
 * A GPU backend in one mode of GPU.js. Throws {@link DeviceError}, saying what to install or switch on, where GPU.js is
 * not installed or the mode does not work.
 */
export async function createGpuBackend(options: GpuOptions = {}): Promise<GpuBackend> {
  checkOptionNames(options, ["mode", "allowFallback", "gpuJs"], "createGpuBackend");
  const { mode: wanted = "auto", allowFallback = false } = options;
  const gpuJs = await loadGpuJs(options.gpuJs);
  const { mode, trials } = wanted === "auto" ? await chooseMode(gpuJs) : { mode: wanted, trials: [] };
  await requireMode(gpuJs, mode);
  const gpu = new gpuJs.GPU({ mode });
  const { runtime, adapter, maxArrayBytes } = await start(gpuJs, gpu, mode);
  const degraded = new Map<string, string>();
  const launcher = new Launcher(gpu, runtime, allowFallback, (kernel, reason) => degraded.set(kernel, reason));
  return new GpuBackend({ launcher, inner: createWasmBackend(), adapter, maxArrayBytes, degraded, trials });
}

interface Started {
  readonly runtime: ModeRuntime;
  readonly adapter: AdapterDescription | undefined;
  readonly maxArrayBytes: number | undefined;
}

async function start(gpuJs: GpuJs, gpu: Gpu, mode: GpuMode): Promise<Started> {
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
    case "webgl2":
    case "headlessgl":
      return { runtime: new GlRuntime(gpuJs, gpu, mode), adapter: undefined, maxArrayBytes: undefined };
  }
}
