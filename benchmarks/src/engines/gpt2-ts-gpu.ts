/** The matrix product of `@gpt2-ts/tensor` on its gpu backend, in one mode of GPU.js. */
import { createGpuBackend } from "@gpt2-ts/tensor/gpu";
import { productsOn } from "./gpt2-ts-matmul.ts";
import type { MatmulEngine, MatmulSpec } from "./matmul-engine.ts";

export async function loadGpt2TsGpu({ mode }: MatmulSpec): Promise<MatmulEngine> {
  const device = await createGpuBackend({ mode });
  const prepare = productsOn(device);
  return {
    facts: { engine: "gpt2-ts", backend: "gpu", mode: device.info().mode, ...device.info().adapter },
    async prepare(a, b, m, k, n) {
      const product = await prepare(a, b, m, k, n);
      return {
        ...product,
        transfers() {
          const { uploads, readbacks } = device.info();
          return { uploads, readbacks };
        },
      };
    },
  };
}
