export { type AdapterDescription, adapterName } from "./adapter.ts";
export { GpuBackend, type GpuInfo } from "./backend.ts";
export { createGpuBackend, type GpuOptions } from "./create.ts";
export type { GpuMode } from "./gpu-js.ts";
export { gpuModes, type ModeTrial } from "./mode.ts";
