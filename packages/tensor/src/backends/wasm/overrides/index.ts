import { attentionKernels } from "./attention.ts";
import { concatKernels } from "./concat.ts";
import { copyKernels } from "./copy.ts";
import { elementwiseKernels } from "./elementwise.ts";
import { indexingKernels } from "./indexing.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";
import { matmulKernels } from "./matmul.ts";
import { normalizeKernels } from "./normalize.ts";
import { reduceKernels } from "./reduce.ts";

const families: readonly WasmKernels[] = [
  attentionKernels,
  concatKernels,
  copyKernels,
  elementwiseKernels,
  indexingKernels,
  matmulKernels,
  normalizeKernels,
  reduceKernels,
];

/** Every op that has a WebAssembly kernel, by name. */
export const overrides: ReadonlyMap<string, WasmKernel<never>> = new Map(
  families.flatMap((family) => Object.entries(family)),
);
