import type { Gpu, GpuJs, GpuMode, KernelShortcut, ResultHandle } from "./gpu-js.ts";
import { flat, type Result } from "./host-runtime.ts";
import type { WebGl2Context } from "./platform-types.ts";
import type { Made, ModeRuntime } from "./runtime.ts";

/** src/texture.js */
interface TextureResult extends ResultHandle {
  /** Width and height in texels of four floats. */
  readonly size: ArrayLike<number>;
  /** Elements along each axis. */
  output: readonly number[];
}

const BYTES_PER_TEXEL = 16;

/** Modes webgl2 and headlessgl: arrays are textures of four floats per texel. */
export class GlRuntime implements ModeRuntime {
  readonly mode: GpuMode;
  readonly maxComponents = 1;
  readonly settings = {
    pipeline: true,
    immutable: true,
    precision: "single",
    optimizeFloatMemory: true,
    // Otherwise GPU.js picks a precision by the output's size, and a kernel whose output grows past it keeps the old size.
    tactic: "precision",
  } as const;
  memoryBytes = 0;
  readonly gpuJs: GpuJs;
  readonly #copy: KernelShortcut;
  /** Of results of one axis. */
  #flat: object | undefined;

  constructor(gpuJs: GpuJs, gpu: Gpu, mode: GpuMode) {
    this.gpuJs = gpuJs;
    this.mode = mode;
    this.#copy = gpu.createKernel("function copy(x) { return x[this.thread.x]; }", {
      ...this.settings,
      output: [1],
      argumentTypes: ["Input"],
      returnType: "Float",
      dynamicOutput: true,
      dynamicArguments: true,
    });
  }

  get lost(): string | undefined {
    return this.#context?.isContextLost() ? "the WebGL context was taken away" : undefined;
  }

  argumentType(handle: unknown): string {
    return isTexture(handle) ? handle.type : "Input";
  }

  argument(handle: unknown, length: number): unknown {
    return isTexture(handle) ? handle : this.gpuJs.input(handle as Float32Array, [length]);
  }

  build(): undefined {}

  run(kernel: KernelShortcut, args: readonly unknown[], threads: number): Made {
    return this.#keep(kernel(...args), threads);
  }

  destroy(kernel: KernelShortcut): void {
    kernel.destroy();
  }

  upload(data: Float32Array): Made {
    return this.#keep(this.#copyOf(data), data.length);
  }

  async read(handle: unknown, length: number): Promise<Float32Array> {
    if (!isTexture(handle)) return (handle as Float32Array).slice();
    const data = handle.toArray() as Float32Array;
    const error = this.#context?.getError() ?? 0;
    if (error !== 0) throw new Error(`WebGL error 0x${error.toString(16)}`);
    return data.slice(0, length); // without what fills the last texel
  }

  guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    return work();
  }

  free(handle: unknown): void {
    if (!isTexture(handle)) return;
    this.memoryBytes -= textureBytes(handle);
    handle.delete();
  }

  dispose(): void {
    this.#copy.destroy();
  }

  get #context(): WebGL2RenderingContext | null {
    return this.#copy.kernel.context as WebGl2Context | null;
  }

  /** A kernel that GPU.js moved to the CPU returns an array instead of a texture. */
  #keep(result: unknown, length: number): Made {
    if (!isTexture(result)) return { handle: flat(result as Result, length) };
    this.memoryBytes += textureBytes(result);
    // A kernel that was called with results of one axis refuses those of three, though their layout is the same: see
    // src/backend/web-gl/kernel-value/memory-optimized-number-texture.js. So all are declared to have one.
    this.#flat ??= Object.getPrototypeOf(this.#copyOf(new Float32Array(1))) as object;
    Object.setPrototypeOf(result, this.#flat);
    result.output = [length];
    return { handle: result };
  }

  #copyOf(data: Float32Array): unknown {
    this.#copy.setOutput([data.length]);
    return this.#copy(this.gpuJs.input(data, [data.length]));
  }
}

function isTexture(handle: unknown): handle is TextureResult {
  return typeof (handle as Partial<ResultHandle>).toArray === "function";
}

function textureBytes({ size }: TextureResult): number {
  return size[0]! * size[1]! * BYTES_PER_TEXEL;
}
