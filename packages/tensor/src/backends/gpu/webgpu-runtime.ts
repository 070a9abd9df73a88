import type { BufferResult, CountedBuffer, GpuJs, KernelInternals, KernelShortcut, WebGpuContext } from "./gpu-js.ts";
import type { WebGpuError } from "./platform-types.ts";
import type { Made, ModeRuntime } from "./runtime.ts";

/** Sizes of buffers are multiples of this many bytes, so that a free one fits again more often. */
const ROUNDING = 256;
/** Bytes of free buffers that are kept for reuse. */
const KEPT_BYTES = 256 * 2 ** 20;
/** The largest buffer for readback that is kept for the next one. */
const KEPT_STAGING_BYTES = 16 * 2 ** 20;
/** Floats that are uploaded at a time. */
const UPLOAD_FLOATS = 4 * 2 ** 20;
// GPUBufferUsage and GPUMapMode, which are not globals in Node; the specification fixes the numbers.
const MAP_READ = 0x1;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const STORAGE = 0x80;
const MAP_MODE_READ = 0x1;

/**
 * Mode webgpu. The buffers are our own, not GPU.js's: it makes a new one for every result of a kernel, keeps the
 * last one of each kernel alive, and copies uploads twice.
 */
export class WebGpuRuntime implements ModeRuntime {
  readonly mode = "webgpu";
  readonly maxComponents = 4;
  readonly settings = { pipeline: true, immutable: false };
  memoryBytes = 0;
  readonly gpuJs: GpuJs;
  readonly context: WebGpuContext;
  #lost: string | undefined;
  /** Free buffers by size in bytes. */
  readonly #spare = new Map<number, CountedBuffer[]>();
  #spareBytes = 0;
  /** For the next readback. */
  #staging: GPUBuffer | undefined;
  /** Buffers for which the device had no memory, and would refuse again. */
  readonly #broken = new WeakSet<CountedBuffer>();

  constructor(gpuJs: GpuJs, context: WebGpuContext) {
    this.context = context;
    this.gpuJs = gpuJs;
    void context.device.lost.then(({ reason, message }) => {
      this.#lost = message || reason;
    });
  }

  get lost(): string | undefined {
    return this.#lost ?? (this.context.isLost ? "no reason was given" : undefined);
  }

  argumentType(): string {
    return "WebGPUBuffer";
  }

  argument(handle: unknown): unknown {
    return handle;
  }

  build({ kernel }: KernelShortcut, args: readonly unknown[]): Promise<void> | undefined {
    if (kernel.built) return undefined;
    return this.guarded(async () => {
      await kernel.build(...args);
      // When the device is gone, GPU.js builds on a new one, which has none of our buffers.
      if (kernel.context !== this.context) throw new Error("the device is gone");
      kernel.outputBuffer?.destroy(); // run gives it one of ours
      kernel.outputBuffer = null;
    });
  }

  run({ kernel }: KernelShortcut, args: readonly unknown[], threads: number, components: number): Made {
    const length = threads * components;
    return this.#make(length, kernel, (buffer) => {
      kernel.outputBuffer = buffer;
      kernel.bindGroupDirty = true;
      try {
        void kernel.run(...args); // submits before it returns; what the promise resolves to is known here already
      } finally {
        kernel.outputBuffer = null;
      }
    });
  }

  destroy(kernel: KernelShortcut): void {
    kernel.destroy();
  }

  upload(data: Float32Array): Made {
    const { queue } = this.context.device;
    return this.#make(data.length, undefined, (buffer) => {
      for (let at = 0; at < data.length; at += UPLOAD_FLOATS) {
        // A copy: the `webgpu` package crashes the process when given shared memory, which wasm tensors lie in.
        queue.writeBuffer(buffer, at * 4, new Float32Array(data.subarray(at, at + UPLOAD_FLOATS)));
      }
    });
  }

  write(target: unknown, at: number, source: unknown, from: number, length: number): Made {
    const { device } = this.context;
    device.pushErrorScope("validation");
    const encoder = device.createCommandEncoder();
    const [to, of] = [target as BufferResult, source as BufferResult];
    encoder.copyBufferToBuffer(of.buffer, from * 4, to.buffer, at * 4, length * 4);
    device.queue.submit([encoder.finish()]);
    return { handle: target, problem: device.popErrorScope() };
  }

  async read(handle: unknown, length: number): Promise<Float32Array> {
    const { device } = this.context;
    const bytes = length * 4;
    device.pushErrorScope("validation");
    device.pushErrorScope("out-of-memory");
    const staging = this.#takeStaging(bytes);
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer((handle as BufferResult).buffer, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    const mapped = staging.mapAsync(MAP_MODE_READ, 0, bytes);
    mapped.catch(() => {}); // it is awaited below, but the device's objection says more
    try {
      const problem = await firstOf([device.popErrorScope(), device.popErrorScope()]);
      if (problem) throw problem;
      await mapped;
      const data = new Float32Array(staging.getMappedRange(0, bytes).slice(0));
      staging.unmap();
      this.#giveBackStaging(staging);
      return data;
    } catch (error) {
      staging.destroy();
      throw error;
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
    this.#staging?.destroy();
    this.#staging = undefined;
  }

  /** A buffer of `length` floats, filled by `fill`, with the device's objection to either. */
  #make(length: number, kernel: KernelInternals | undefined, fill: (buffer: CountedBuffer) => void): Made {
    const { device } = this.context;
    device.pushErrorScope("validation");
    device.pushErrorScope("out-of-memory");
    let problem: Promise<WebGpuError | null>;
    let buffer: CountedBuffer | undefined;
    try {
      buffer = this.#take(length * 4);
      fill(buffer);
    } catch (error) {
      if (buffer) this.#giveBack(buffer);
      throw error;
    } finally {
      problem = firstOf([device.popErrorScope(), device.popErrorScope()]);
    }
    const noted = problem.then((found) => {
      if (found) {
        this.#broken.add(buffer);
        this.dispose(); // there may be room now
      }
      return found;
    });
    return { handle: this.#handle(buffer, length, kernel), problem: noted };
  }

  /** A buffer of at least so many bytes. */
  #take(bytes: number): CountedBuffer {
    const size = Math.ceil(bytes / ROUNDING) * ROUNDING;
    const spare = this.#spare.get(size)?.pop();
    if (spare) {
      this.#spareBytes -= size;
      return spare;
    }
    const { device } = this.context;
    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
    const most = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    if (size > most) throw new RangeError(`${bytes} bytes are more than this device takes in one array, ${most}`);
    const buffer: CountedBuffer = device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
    buffer._refs = Number.POSITIVE_INFINITY; // so that GPU.js never destroys it
    this.memoryBytes += size;
    return buffer;
  }

  #takeStaging(bytes: number): GPUBuffer {
    const staging = this.#staging;
    if (!staging || staging.size < bytes) {
      return this.context.device.createBuffer({ size: bytes, usage: MAP_READ | COPY_DST });
    }
    this.#staging = undefined;
    return staging;
  }

  #giveBackStaging(buffer: GPUBuffer): void {
    const spare = this.#staging;
    if (buffer.size > KEPT_STAGING_BYTES || (spare && spare.size >= buffer.size)) {
      buffer.destroy();
      return;
    }
    spare?.destroy();
    this.#staging = buffer;
  }

  #giveBack(buffer: CountedBuffer): void {
    if (this.#spareBytes + buffer.size > KEPT_BYTES || this.#broken.has(buffer)) {
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

/** The first problem, if any. A lost device reports none; the next use of it will find out. */
async function firstOf(problems: readonly Promise<WebGpuError | null>[]): Promise<WebGpuError | null> {
  const settled = await Promise.allSettled(problems);
  const found = settled.find((outcome) => outcome.status === "fulfilled" && outcome.value !== null);
  return found?.status === "fulfilled" ? found.value : null;
}
