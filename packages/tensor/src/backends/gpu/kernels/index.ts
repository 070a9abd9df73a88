import { elementwiseKernels } from "./elementwise.ts";
import type { GpuKernel, GpuKernels } from "./kernel.ts";

const families: readonly GpuKernels[] = [elementwiseKernels];

/** Every op that has a GPU kernel, by name. */
export const kernels: ReadonlyMap<string, GpuKernel<never>> = new Map(
  families.flatMap((family) => Object.entries(family)),
);
