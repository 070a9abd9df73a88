import type { KernelFunction } from "./gpu-js.ts";

/** What an argument of a kernel function is: an array of floats, a whole number, or a number. */
export type ArgumentKind = "buffer" | "int" | "float";

/**
 * A kernel for GPU.js. Declare it once, at the top level of a module: kernels are cached by `body` and `constants`.
 *
 *     const add: KernelSpec = {
 *       name: "add",
 *       arguments: ["buffer", "int", "buffer", "int"],
 *       body(a: number[], aOffset: number, b: number[], bOffset: number) {
 *         return a[aOffset + this.thread.x]! + b[bOffset + this.thread.x]!;
 *       },
 *     };
 *
 * `body` is translated from its source text, so it may use `this.thread.x` (and y, z), `this.constants.NAME`, its arguments,
 * numbers, `let`, `for` and `Math`, and nothing from outside: no imports, closures or helper functions, and no
 * TypeScript that leaves a trace when types are stripped. `!` and type annotations go away, `as` does too.
 * In what is published, bodies are text already, out of minifiers' reach: `scripts/kernel-text.mjs`.
 */
export interface KernelSpec {
  readonly name: string;
  /** One entry per parameter of `body`. At most 7 buffers: WebGPU guarantees 8 per kernel, and one is the output. */
  readonly arguments: readonly ArgumentKind[];
  readonly body: KernelFunction;
  /** Whole numbers compiled in, one program for each combination. For sizes that repeat; others as arguments. */
  readonly constants?: Readonly<Record<string, number>>;
  /** How many numbers a thread returns, side by side in the output: 1 unless told otherwise. */
  readonly components?: 1 | 2 | 3 | 4;
}
