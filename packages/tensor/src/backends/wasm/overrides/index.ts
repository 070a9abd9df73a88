import { attentionKernels } from "./attention.ts";
import { categoricalKernels } from "./categorical.ts";
import { copyKernels } from "./copy.ts";
import { crossEntropyKernels } from "./cross-entropy.ts";
import { elementwiseKernels } from "./elementwise.ts";
import { embeddingKernels } from "./embedding.ts";
import { indexingKernels } from "./indexing.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";
import { matmulKernels } from "./matmul.ts";
import { normalizeKernels } from "./normalize.ts";
import { rearrangeKernels } from "./rearrange.ts";
import { reduceKernels } from "./reduce.ts";
import { softmaxKernels } from "./softmax.ts";
import { sortKernels } from "./sort.ts";
import { vectorKernels } from "./vectors.ts";

const families: readonly WasmKernels[] = [
  attentionKernels,
  categoricalKernels,
  copyKernels,
  crossEntropyKernels,
  elementwiseKernels,
  embeddingKernels,
  indexingKernels,
  matmulKernels,
  normalizeKernels,
  rearrangeKernels,
  reduceKernels,
  softmaxKernels,
  sortKernels,
  vectorKernels,
];

/** Every op that has a WebAssembly kernel, by name. */
export const overrides: ReadonlyMap<string, WasmKernel<never>> = new Map(
  families.flatMap((family) => Object.entries(family)),
);
