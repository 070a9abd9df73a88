import type { GpuJs, GpuMode, KernelShortcut } from "./gpu-js.ts";
import type { Made, ModeRuntime } from "./runtime.ts";

/** Modes webasm and cpu: arrays are typed arrays, and calls are synchronous. */
export class HostRuntime implements ModeRuntime {
  readonly mode: GpuMode;
  readonly maxComponents = 4;
  readonly lost = undefined;
  memoryBytes = 0;
  readonly #gpuJs: GpuJs;

  constructor(gpuJs: GpuJs, mode: GpuMode) {
    this.#gpuJs = gpuJs;
    this.mode = mode;
  }

  argumentType(): string {
    return "Input";
  }

  argument(handle: unknown, length: number): unknown {
    return this.#gpuJs.input(handle as Float32Array, [length]);
  }

  build(): undefined {}

  run(kernel: KernelShortcut, args: readonly unknown[], threads: number, components: number): Made {
    const result = kernel(...args) as Float32Array | ArrayLike<number>[];
    return this.#keep(
      components === 1 ? (result as Float32Array) : flat(result as ArrayLike<number>[], threads, components),
    );
  }

  upload(data: Float32Array): Made {
    return this.#keep(data.slice());
  }

  async read(handle: unknown): Promise<Float32Array> {
    return (handle as Float32Array).slice();
  }

  free(handle: unknown): void {
    this.memoryBytes -= (handle as Float32Array).byteLength;
  }

  dispose(): void {}

  #keep(data: Float32Array): Made {
    this.memoryBytes += data.byteLength;
    return { handle: data };
  }
}

/** A result of several numbers per thread as one array. webasm hands out windows onto one, cpu an array for each. */
function flat(rows: readonly ArrayLike<number>[], threads: number, components: number): Float32Array {
  const [first] = rows;
  const length = threads * components;
  if (first instanceof Float32Array && first.buffer.byteLength === length * 4) return new Float32Array(first.buffer);
  const data = new Float32Array(length);
  for (let i = 0; i < threads; i++) data.set(rows[i]!, i * components);
  return data;
}
