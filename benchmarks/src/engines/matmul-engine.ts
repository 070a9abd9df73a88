/** What the measurement of matrix products needs from a library: `c = a · b` for row-major float32 matrices. */
import type { GpuMode } from "@gpt2-ts/tensor/gpu";

/** A product whose operands are on the library's device already. */
export interface Product {
  /** Computes the product again and brings it to JavaScript, [m, n]. */
  run(): Promise<Float32Array>;
  /** What was moved so far; only for engines that compute outside JavaScript's memory. */
  transfers?(): Transfers;
  dispose(): void;
}

/** How often data went to a device and came back. */
export interface Transfers {
  readonly uploads: number;
  readonly readbacks: number;
}

export interface MatmulEngine {
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  prepare(a: Float32Array, b: Float32Array, m: number, k: number, n: number): Promise<Product>;
}

export interface MatmulSpec {
  readonly engine: "gpt2-ts" | "jax-js" | "tfjs" | "gpt2-ts on GPU.js" | "GPU.js";
  /** For gpt2-ts; the peers have one thread in Node in any case. */
  readonly threads: number;
  readonly deterministic?: boolean;
  /** The engines on GPU.js. */
  readonly mode?: GpuMode;
}
