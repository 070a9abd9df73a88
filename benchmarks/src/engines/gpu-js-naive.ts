/** The matrix product as GPU.js's README has it: one number of the result per thread, plain arrays in and out. */
import { createRequire } from "node:module";
import { createGpuBackend } from "@gpt2-ts/tensor/gpu";
import type { MatmulEngine, MatmulSpec } from "./matmul-engine.ts";

/** Rows, as GPU.js takes and returns matrices. */
type Rows = readonly Float32Array[];

interface KernelThis {
  readonly thread: { readonly x: number; readonly y: number };
  readonly constants: { readonly terms: number };
}

interface Kernel {
  (a: Rows, b: Rows): Promise<Rows>;
  destroy(): void;
  readonly kernel: { readonly fallbackReason: string | null };
}

interface GpuJs {
  readonly GPU: new (
    settings: object,
  ) => { createKernel(source: (this: KernelThis, a: Rows, b: Rows) => number, settings: object): Kernel };
}

export async function loadNaive({ mode }: MatmulSpec): Promise<MatmulEngine> {
  // Checks that the mode works here, and in Node finds WebGPU for it.
  const { adapter } = (await createGpuBackend({ mode })).info();
  const { GPU } = createRequire(import.meta.url)("gpu.js") as GpuJs;
  const gpu = new GPU({ mode });
  return {
    facts: { engine: "GPU.js", mode: mode ?? "", ...adapter },
    async prepare(a, b, m, k, n) {
      const multiply = gpu.createKernel(
        function (a, b) {
          let sum = 0;
          for (let i = 0; i < this.constants.terms; i++) sum += a[this.thread.y]![i]! * b[i]![this.thread.x]!;
          return sum;
        },
        // Asynchronous, because webasm only then uses threads.
        { output: [n, m], constants: { terms: k }, loopMaxIterations: k, asyncMode: true },
      );
      const [left, right] = [rows(a, k), rows(b, n)];
      let runs = 0;
      return {
        async run() {
          runs++;
          const result = await multiply(left, right);
          const { fallbackReason } = multiply.kernel;
          if (fallbackReason !== null) throw new Error(`GPU.js fell back to the CPU: ${fallbackReason}`);
          const product = new Float32Array(m * n);
          for (const [i, row] of result.entries()) product.set(row, i * n);
          return product;
        },
        // It uploads both operands on every call.
        transfers: () => ({ uploads: 2 * runs, readbacks: runs }),
        dispose: () => multiply.destroy(),
      };
    },
  };
}

function rows(data: Float32Array, length: number): Rows {
  return Array.from({ length: data.length / length }, (_, i) => data.subarray(i * length, (i + 1) * length));
}
