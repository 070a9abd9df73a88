import type { Backend, DeviceChoice } from "@gpt2-ts/tensor";
import type { GpuMode } from "@gpt2-ts/tensor/gpu";

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
