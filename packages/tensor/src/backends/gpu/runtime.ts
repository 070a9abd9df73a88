import type { GpuJs, GpuMode, KernelSettings, KernelShortcut } from "./gpu-js.ts";
import type { WebGpuError } from "./platform-types.ts";

/** A result, and the device's objection to making it; null if there is none. */
export interface Made {
  readonly handle: unknown;
  readonly problem?: Promise<WebGpuError | null>;
}

/** How the arrays of one mode of GPU.js are made, read and freed. */
export interface ModeRuntime {
  readonly gpuJs: GpuJs;
  readonly mode: GpuMode;
  /** The most numbers a thread may return for the result to be one flat array. */
  readonly maxComponents: 1 | 4;
  /** Settings of GPU.js for every kernel. */
  readonly settings: Partial<KernelSettings>;
  /** Why the device is lost; undefined as long as it works. */
  readonly lost: string | undefined;
  /** Bytes the device holds for arrays, in use or set aside for new ones. */
  readonly memoryBytes: number;
  /** What GPU.js calls an array of this kind among a kernel's `argumentTypes`. */
  argumentType(handle: unknown): string;
  /** What to call a kernel with for this array. */
  argument(handle: unknown, length: number): unknown;
  /** Builds a kernel where that takes time. Its output size is set. */
  build(kernel: KernelShortcut, args: readonly unknown[]): Promise<void> | undefined;
  /** Runs a kernel that was built; the result is flat. Its output size is set. A promise where threads do the work. */
  run(kernel: KernelShortcut, args: readonly unknown[], threads: number, components: number): Made | Promise<Made>;
  /** Frees a kernel that is no longer needed. */
  destroy(kernel: KernelShortcut): void;
  upload(data: Float32Array): Made;
  /**
   * Copies floats from one array into another, after everything that was run so far. Undefined where arrays cannot be
   * written to.
   */
  write?(target: unknown, at: number, source: unknown, from: number, length: number): Made;
  /** A copy of the numbers, as they are after everything that was run so far. */
  read(handle: unknown, length: number): Promise<Float32Array>;
  /** Awaits work of GPU.js's own, during which nothing else runs: rejects if the device objects to it. */
  guarded<Result>(work: () => Promise<Result>): Promise<Result>;
  free(handle: unknown): void;
  /** Frees what is kept for reuse. */
  dispose(): void;
}
