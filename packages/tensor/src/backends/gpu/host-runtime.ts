import type { GpuJs, GpuMode, KernelSettings, KernelShortcut, WorkerPool } from "./gpu-js.ts";
import type { Made, ModeRuntime } from "./runtime.ts";

/** Modes webasm and cpu: arrays are typed arrays, and calls are synchronous. */
export class HostRuntime implements ModeRuntime {
  readonly mode: GpuMode;
  readonly maxComponents = 4;
  readonly settings: Partial<KernelSettings>;
  readonly lost = undefined;
  memoryBytes = 0;
  #pool: WorkerPool | null = null;
  readonly gpuJs: GpuJs;

  constructor(gpuJs: GpuJs, mode: GpuMode) {
    this.gpuJs = gpuJs;
    this.mode = mode;
    this.settings = { pipeline: true, immutable: true, asyncMode: mode === "webasm" }; // gives webasm its threads
  }

  argumentType(): string {
    return "Input";
  }

  argument(handle: unknown, length: number): unknown {
    return this.gpuJs.input(handle as Float32Array, [length]);
  }

  build(): undefined {}

  run(kernel: KernelShortcut, args: readonly unknown[], threads: number, components: number): Made | Promise<Made> {
    // GPU.js gives each kernel threads of its own, in all dozens of times as many as there are cores; here they share a pool.
    kernel.kernel._pool ??= this.#pool;
    const result = kernel(...args) as Result | Promise<Result>;
    this.#pool ??= kernel.kernel._pool ?? null;
    const keep = (rows: Result): Made => this.#keep(flat(rows, threads * components));
    return result instanceof Promise ? result.then(keep) : keep(result);
  }

  destroy(kernel: KernelShortcut): void {
    kernel.kernel._pool = null; // the others still use it
    kernel.destroy();
  }

  upload(data: Float32Array): Made {
    return this.#keep(data.slice());
  }

  write(target: unknown, at: number, source: unknown, from: number, length: number): Made {
    (target as Float32Array).set((source as Float32Array).subarray(from, from + length), at);
    return { handle: target };
  }

  async read(handle: unknown): Promise<Float32Array> {
    return (handle as Float32Array).slice();
  }

  guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    return work();
  }

  free(handle: unknown): void {
    this.memoryBytes -= (handle as Float32Array).byteLength;
  }

  dispose(): void {
    this.#pool?.destroy();
    this.#pool = null;
  }

  #keep(data: Float32Array): Made {
    this.memoryBytes += data.byteLength;
    return { handle: data };
  }
}

/** A result in GPU.js's shape: an array for each axis of threads, and one more where a thread returns several numbers. */
export type Result = ArrayLike<number> | readonly Result[];

/** A result as one array of `length` numbers: its parts are windows onto one array, or separate arrays. */
export function flat(result: Result, length: number): Float32Array {
  let first = result;
  while (typeof first[0] === "object") first = first[0];
  if (first instanceof Float32Array && first.buffer.byteLength === length * 4) return new Float32Array(first.buffer);
  const data = new Float32Array(length);
  let at = 0;
  const append = (part: Result): void => {
    if (typeof part[0] === "object") {
      for (const each of part as readonly Result[]) append(each);
    } else {
      data.set(part as ArrayLike<number>, at);
      at += part.length;
    }
  };
  append(result);
  return data;
}
