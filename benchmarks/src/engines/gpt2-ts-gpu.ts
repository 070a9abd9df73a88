/** The matrix product of `@gpt2-ts/tensor` on its gpu backend, in one mode of GPU.js. */
import { fromData } from "@gpt2-ts/tensor";
import { createGpuBackend } from "@gpt2-ts/tensor/gpu";
import type { MatmulEngine, MatmulSpec } from "./matmul-engine.ts";

export async function loadGpt2TsGpu({ mode }: MatmulSpec): Promise<MatmulEngine> {
  const device = await createGpuBackend({ mode });
  return {
    facts: { engine: "gpt2-ts", backend: "gpu", mode: device.info().mode, ...device.info().adapter },
    async prepare(a, b, m, k, n) {
      const left = fromData(a, [m, k], { device });
      const right = fromData(b, [k, n], { device });
      return {
        async run() {
          using product = left.matmul(right);
          return await product.data();
        },
        transfers() {
          const { uploads, readbacks } = device.info();
          return { uploads, readbacks };
        },
        dispose() {
          left.dispose();
          right.dispose();
        },
      };
    },
  };
}
