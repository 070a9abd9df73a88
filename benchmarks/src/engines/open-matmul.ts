import type { MatmulEngine, MatmulSpec } from "./matmul-engine.ts";

/** Loads a library. Each is a module of its own, so that a process loads only the one it measures. */
export async function openMatmul(spec: MatmulSpec): Promise<MatmulEngine> {
  switch (spec.engine) {
    case "gpt2-ts":
      return (await import("./gpt2-ts-matmul.ts")).loadGpt2TsMatmul(spec);
    case "jax-js":
      return (await import("./jax-js.ts")).loadJaxJs();
    case "tfjs":
      return (await import("./tfjs.ts")).loadTfjs();
    case "gpt2-ts on GPU.js":
      return (await import("./gpt2-ts-gpu.ts")).loadGpt2TsGpu(spec);
    case "GPU.js":
      return (await import("./gpu-js-naive.ts")).loadNaive(spec);
  }
}
