import { attentionKernels } from "./attention.ts";
import { copyKernels } from "./copy.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";

const families: readonly WasmKernels[] = [attentionKernels, copyKernels];

/** Every op that has a WebAssembly kernel, by name. */
export const overrides: ReadonlyMap<string, WasmKernel<never>> = new Map(
  families.flatMap((family) => Object.entries(family)),
);
