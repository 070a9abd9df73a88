import type { BufferResult, CountedBuffer, GpuJs, KernelShortcut, WebGpuContext } from "./gpu-js.ts";
import type { Made, ModeRuntime } from "./runtime.ts";

/** Sizes of buffers are multiples of this many bytes, so that a free one fits again more often. */
const ROUNDING = 256;
/** Bytes of free buffers that are kept for reuse. */
const KEPT_BYTES = 256 * 2 ** 20;
/** Floats that are uploaded at a time. */
const UPLOAD_FLOATS = 4 * 2 ** 20;
// GPUBufferUsage and GPUMapMode, which are not globals in Node; the specification fixes the numbers.
const MAP_READ = 0x1;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const STORAGE = 0x80;
const MAP_MODE_READ = 0x1;

/**
 * Mode webgpu. The buffers are our own rather than GPU.js's: it makes a new one for every result of a kernel, keeps the
 * last one of each kernel alive, and copies twice what it uploads.
 */
export class WebGpuRuntime implements ModeRuntime {
  readonly mode = "webgpu";
  readonly maxComponents = 4;
  readonly settings = { pipeline: true, immutable: false };
  lost: string | undefined;
  memoryBytes = 0;
  readonly gpuJs: GpuJs;
  readonly context: WebGpuContext;
  /** Free buffers by size in bytes. */
  readonly #spare = new Map<number, CountedBuffer[]>();
  #spareBytes = 0;

  constructor(gpuJs: GpuJs, context: WebGpuContext) {
    this.context = context;
    this.gpuJs = gpuJs;
    void context.device.lost.then(({ reason, message }) => {
      this.lost = message || reason;
    });
  }

  argumentType(): string {
    return "WebGPUBuffer";
  }

  argument(handle: unknown): unknown {
    return handle;
  }

  build({ kernel }: KernelShortcut, args: readonly unknown[]): Promise<void> | undefined {
    if (kernel.built) return undefined;
    return Promise.resolve(kernel.build(...args)).then(() => {
      kernel.outputBuffer?.destroy(); // run gives it one of ours
      kernel.outputBuffer = null;
    });
  }

  run({ kernel }: KernelShortcut, args: readonly unknown[], threads: number, components: number): Made {
    const length = threads * components;
    const { device } = this.context;
    const { buffer, problem } = this.#take(length * 4);
    device.pushErrorScope("validation");
    try {
      kernel.outputBuffer = buffer;
      kernel.bindGroupDirty = true;
      void kernel.run(...args); // submits before it returns; what the promise has is known here already
    } catch (error) {
      this.#giveBack(buffer);
      throw error;
    } finally {
      kernel.outputBuffer = null;
      problem.push(device.popErrorScope());
    }
    return { handle: this.#handle(buffer, length, kernel), problem: firstOf(problem) };
  }

  upload(data: Float32Array): Made {
    const { device } = this.context;
    const { buffer, problem } = this.#take(data.byteLength);
    device.pushErrorScope("validation");
    for (let at = 0; at < data.length; at += UPLOAD_FLOATS) {
      // A copy: the `webgpu` package crashes the process when given shared memory, which wasm tensors lie in.
      device.queue.writeBuffer(buffer, at * 4, new Float32Array(data.subarray(at, at + UPLOAD_FLOATS)));
    }
    problem.push(device.popErrorScope());
    return { handle: this.#handle(buffer, data.length), problem: firstOf(problem) };
  }

  async read(handle: unknown, length: number): Promise<Float32Array> {
    const { device } = this.context;
    const bytes = length * 4;
    device.pushErrorScope("out-of-memory");
    const staging = device.createBuffer({ size: bytes, usage: MAP_READ | COPY_DST });
    const outOfMemory = device.popErrorScope();
    device.pushErrorScope("validation");
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer((handle as BufferResult).buffer, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    const invalid = device.popErrorScope();
    const mapped = staging.mapAsync(MAP_MODE_READ);
    try {
      const problem = await firstOf([outOfMemory, invalid]);
      if (problem) throw problem;
      await mapped;
      return new Float32Array(staging.getMappedRange().slice(0));
    } catch (error) {
      mapped.catch(() => {});
      throw error;
    } finally {
      staging.destroy();
    }
  }

  async guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    const { device } = this.context;
    device.pushErrorScope("validation");
    device.pushErrorScope("out-of-memory");
    let problem: Promise<GPUError | null>;
    let result: Result;
    try {
      result = await work();
    } finally {
      problem = firstOf([device.popErrorScope(), device.popErrorScope()]);
      problem.catch(() => {}); // of a lost device, which the work has met as well
    }
    const found = await problem;
    if (found) throw found;
    return result;
  }

  free(handle: unknown): void {
    this.#giveBack((handle as BufferResult).buffer);
  }

  dispose(): void {
    for (const buffers of this.#spare.values()) {
      for (const buffer of buffers) this.#destroy(buffer);
    }
    this.#spare.clear();
    this.#spareBytes = 0;
  }

  /** A buffer of at least so many bytes, and what there may be against it. */
  #take(bytes: number): { buffer: CountedBuffer; problem: Promise<GPUError | null>[] } {
    const size = Math.ceil(bytes / ROUNDING) * ROUNDING;
    const spare = this.#spare.get(size)?.pop();
    if (spare) {
      this.#spareBytes -= size;
      return { buffer: spare, problem: [] };
    }
    const { device } = this.context;
    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
    const most = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    if (size > most) throw new RangeError(`${bytes} bytes are more than this device takes in one array, ${most}`);
    device.pushErrorScope("out-of-memory");
    const buffer: CountedBuffer = device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
    buffer._refs = Number.POSITIVE_INFINITY; // so that GPU.js never destroys it
    this.memoryBytes += size;
    return { buffer, problem: [device.popErrorScope()] };
  }

  #giveBack(buffer: CountedBuffer): void {
    if (this.#spareBytes + buffer.size > KEPT_BYTES) {
      this.#destroy(buffer);
      return;
    }
    this.#spareBytes += buffer.size;
    const sameSize = this.#spare.get(buffer.size);
    if (sameSize) sameSize.push(buffer);
    else this.#spare.set(buffer.size, [buffer]);
  }

  #destroy(buffer: CountedBuffer): void {
    this.memoryBytes -= buffer.size;
    buffer.destroy();
  }

  #handle(buffer: CountedBuffer, length: number, kernel?: KernelShortcut["kernel"]): BufferResult {
    return new this.gpuJs.WebGPUBufferResult({
      buffer,
      output: [length],
      componentCount: 1,
      context: this.context,
      kernel,
    });
  }
}

async function firstOf(problems: readonly Promise<GPUError | null>[]): Promise<GPUError | null> {
  return (await Promise.all(problems)).find((problem) => problem !== null) ?? null;
}
