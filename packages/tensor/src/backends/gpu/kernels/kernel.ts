import type { Launcher } from "../launcher.ts";
import type { GpuView } from "../storage.ts";

/**
 * An op on the GPU. It launches kernels and puts the results into the outputs (`outputs[0].storage.put(…)`), then
 * returns undefined; or it leaves them alone and returns in a few words why it does not take these operands ("not
 * float32"): then the backend runs the op on wasm and records the reason. Outputs have at least one element, and are
 * whole storages without contents unless the op writes in place (copy).
 */
export type GpuKernel<Params> = (
  launcher: Launcher,
  inputs: readonly GpuView[],
  params: Params,
  outputs: readonly GpuView[],
) => string | undefined;

/** Kernels by the name of their op. A kernel trusts that `params` are its op's own. */
export type GpuKernels = Readonly<Record<string, GpuKernel<never>>>;
