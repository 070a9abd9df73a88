import { DeviceError } from "../../errors.ts";
import { createWasmBackend } from "../wasm/index.ts";
import { type AdapterDescription, describeAdapter, provideWebGpu } from "./adapter.ts";
import { GpuBackend } from "./backend.ts";
import { type GpuJs, type GpuMode, loadGpuJs } from "./gpu-js.ts";
import { HostRuntime } from "./host-runtime.ts";
import { Launcher } from "./launcher.ts";
import type { ModeRuntime } from "./runtime.ts";
import { WebGpuRuntime } from "./webgpu-runtime.ts";

export interface GpuOptions {
  readonly mode: GpuMode;
  /** Whether a kernel that GPU.js moves to the CPU may run there. Default false: it is an error. */
  readonly allowFallback?: boolean;
}

/**
 * A GPU backend in one mode of GPU.js. Throws {@link DeviceError}, saying what to install or switch on, where GPU.js is
 * not installed or the mode does not work.
 */
export async function createGpuBackend({ mode, allowFallback = false }: GpuOptions): Promise<GpuBackend> {
  const gpuJs = await loadGpuJs();
  const { runtime, adapter, maxArrayBytes } = await start(gpuJs, mode);
  const degraded = new Map<string, string>();
  const launcher = new Launcher(new gpuJs.GPU({ mode }), runtime, allowFallback, (kernel, reason) => {
    degraded.set(kernel, reason);
  });
  return new GpuBackend({ launcher, inner: createWasmBackend(), adapter, maxArrayBytes, degraded });
}

interface Started {
  readonly runtime: ModeRuntime;
  readonly adapter: AdapterDescription | undefined;
  readonly maxArrayBytes: number | undefined;
}

async function start(gpuJs: GpuJs, mode: GpuMode): Promise<Started> {
  switch (mode) {
    case "webgpu": {
      await provideWebGpu();
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
