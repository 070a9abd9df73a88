import { attentionKernels } from "./attention.ts";
import { copyKernels } from "./copy.ts";
import { crossEntropyKernels } from "./cross-entropy.ts";
import { elementwiseKernels } from "./elementwise.ts";
import { embeddingKernels } from "./embedding.ts";
import { indexingKernels } from "./indexing.ts";
import type { GpuKernel, GpuKernels } from "./kernel.ts";
import { matmulKernels } from "./matmul.ts";
import { normalizeKernels } from "./normalize.ts";
import { rearrangeKernels } from "./rearrange.ts";
import { reduceKernels } from "./reduce.ts";
import { softmaxKernels } from "./softmax.ts";

const families: readonly GpuKernels[] = [
  attentionKernels,
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
];

/** Every op that has a GPU kernel, by name. */
export const kernels: ReadonlyMap<string, GpuKernel<never>> = new Map(
  families.flatMap((family) => Object.entries(family)),
);
