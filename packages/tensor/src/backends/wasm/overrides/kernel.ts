import type { WasmRuntime } from "../runtime.ts";
import type { WasmView } from "../storage.ts";

/**
 * An op on WebAssembly. It writes the outputs and returns undefined, or leaves them alone and returns in a few words why
 * it does not take these operands ("not float32"): then the backend runs the reference kernel and records the reason.
 */
export type WasmKernel<Params> = (
  runtime: WasmRuntime,
  inputs: readonly WasmView[],
  params: Params,
  outputs: readonly WasmView[],
) => string | undefined;

/** Kernels by the name of their op. A kernel trusts that `params` are its op's own. */
export type WasmKernels = Readonly<Record<string, WasmKernel<never>>>;
