import { DeviceError } from "../../errors.ts";
import { DeviceBuffer, RecordedBuffer } from "./device-buffer.ts";
import type { Gpu, KernelShortcut } from "./gpu-js.ts";
import type { KernelSpec } from "./kernel-spec.ts";
import { Programs } from "./programs.ts";
import { TaskQueue } from "./queue.ts";
import type { Made, ModeRuntime } from "./runtime.ts";

/** What a launcher did so far. */
export interface LaunchCounts {
  /** Kernels run. */
  readonly launches: number;
  readonly uploads: number;
  readonly uploadedBytes: number;
  readonly readbacks: number;
  readonly readBytes: number;
}

/** Numbers of threads along x, or along x, y and z. A body is always launched with as many axes. */
export type Threads = number | readonly [x: number, y: number, z: number];

/** Takes kernel calls in place of the device while a function is being recorded. */
export interface Recorder {
  readonly maxComponents: 1 | 4;
  launch(spec: KernelSpec, threads: Threads, args: readonly (DeviceBuffer | number)[]): DeviceBuffer;
}

/**
 * Runs kernels in the order they were asked for, as soon as may be: at once when all that came before is done with
 * compiling. What fails leaves its result without contents but with the error, which reading it, or whatever is computed
 * from it, meets.
 */
export class Launcher {
  readonly gpu: Gpu;
  readonly runtime: ModeRuntime;
  readonly programs: Programs;
  /** For work of the backend's own that must keep its place among the kernels. */
  readonly queue = new TaskQueue();
  /** Bytes of all device buffers that were asked for and not freed. */
  usedBytes = 0;
  /** Bytes that compiled functions hold for results on their way and for readback. */
  pipelineBytes = 0;
  recorder: Recorder | undefined;
  readonly counts = { launches: 0, uploads: 0, uploadedBytes: 0, readbacks: 0, readBytes: 0 };
  readonly allowFallback: boolean;
  readonly #degraded: (kernel: string, reason: string) => void;
  #scratch: DeviceBuffer[] = [];
  #disposed = false;

  constructor(
    gpu: Gpu,
    runtime: ModeRuntime,
    allowFallback: boolean,
    degraded: (kernel: string, reason: string) => void,
  ) {
    this.gpu = gpu;
    this.runtime = runtime;
    this.programs = new Programs(gpu, runtime);
    this.allowFallback = allowFallback;
    this.#degraded = degraded;
  }

  /** The most numbers a thread may return: 4, or 1 in the WebGL modes and where webasm records. */
  get maxComponents(): 1 | 4 {
    return (this.recorder ?? this.runtime).maxComponents;
  }

  /**
   * Runs a kernel on `threads` threads (at least 1): thread x returns element x of the result, or its `components`
   * elements from x · components on; with three axes, x counts fastest and z slowest. Buffers and numbers are passed as
   * `spec.arguments` says. Nothing is thrown here; errors appear when the result is read.
   */
  launch(spec: KernelSpec, threads: Threads, args: readonly (DeviceBuffer | number)[]): DeviceBuffer {
    if (this.recorder && args.some((arg) => arg instanceof RecordedBuffer)) {
      return this.recorder.launch(spec, threads, args);
    }
    const output = typeof threads === "number" ? [threads] : threads;
    const count = output.reduce((product, size) => product * size, 1);
    const result = this.#expect(count * (spec.components ?? 1));
    this.queue.run(() => {
      const buffers = args.filter((arg) => arg instanceof DeviceBuffer);
      const failed = buffers.find(({ error }) => error);
      if (failed) {
        result.error = failed.error;
        return undefined;
      }
      try {
        this.#expectDevice();
        const values = args.map((arg) => (typeof arg === "number" ? arg : this.#argument(arg)));
        const kernel = this.programs.get(spec, output.length, args);
        const building = this.runtime.build(kernel, values);
        const start = () => {
          kernel.setOutput(output);
          return this.#start(spec, kernel, values, count, result, buffers);
        };
        const going = building ? building.then(start) : start();
        return going?.catch((cause) => this.#fail(result, spec.name, cause));
      } catch (cause) {
        this.#fail(result, spec.name, cause);
        return undefined;
      }
    });
    return result;
  }

  /** `length` floats, which `data` yields when its turn comes. */
  upload(length: number, what: string, data: () => Float32Array): DeviceBuffer {
    const result = this.#expect(length);
    this.queue.run(() => {
      try {
        this.#expectDevice();
        const floats = data();
        this.#made(result, what, this.runtime.upload(floats), []);
        this.counts.uploads++;
        this.counts.uploadedBytes += floats.byteLength;
      } catch (cause) {
        this.#fail(result, what, cause);
      }
    });
    return result;
  }

  /**
   * Copies `length` floats of `source` from `from` on into `target` from `at` on, in its turn. False, and nothing is
   * copied, where the mode has no way to, or others look at `target`.
   */
  write(target: DeviceBuffer, at: number, source: DeviceBuffer, from: number, length: number): boolean {
    if (!this.runtime.write || this.recorder || target.owners > 1) return false;
    this.queue.run(() => {
      target.error ??= source.error;
      if (target.error) return;
      try {
        const made = this.runtime.write!(target.handle, at, source.handle, from, length);
        this.#made(target, "copying", made, [target, source]);
      } catch (cause) {
        this.#fail(target, "copying", cause);
      }
    });
    return true;
  }

  /** A copy of the numbers as they are now. Rejects with {@link DeviceError} when what should have made them failed. */
  read(buffer: DeviceBuffer): Promise<Float32Array> {
    return new Promise((resolve, reject) => {
      this.queue.run(() => {
        this.readNow(buffer).then(resolve, reject);
      });
    });
  }

  /** As {@link Launcher.read}, from inside a task of the queue. */
  async readNow(buffer: DeviceBuffer): Promise<Float32Array> {
    if (buffer instanceof RecordedBuffer) throw new DeviceError("gpu", "a function being recorded reads its tensors");
    if (buffer.error) throw buffer.error;
    try {
      this.#expectDevice();
      const reading = this.runtime.read(buffer.handle, buffer.length);
      this.counts.readbacks++;
      this.counts.readBytes += buffer.length * 4;
      const [data] = await Promise.all([reading, buffer.accepted]);
      if (!buffer.error) return data;
      throw buffer.error;
    } catch (cause) {
      await buffer.accepted;
      throw buffer.error ?? this.error("reading", cause);
    }
  }

  /** Gives a buffer back once everything asked for so far is done with it. */
  free(buffer: DeviceBuffer): void {
    if (buffer instanceof RecordedBuffer || --buffer.owners !== 0) return;
    this.usedBytes -= buffer.length * 4;
    this.queue.run(() => {
      if (buffer.handle !== undefined) this.runtime.free(buffer.handle);
      buffer.handle = undefined;
      if (this.#disposed) this.runtime.dispose(); // nothing is set aside for later
    });
  }

  /** Marks a buffer of a kernel's own, an operand made contiguous for one, to be freed when the op is done. */
  scratch(buffer: DeviceBuffer): DeviceBuffer {
    this.#scratch.push(buffer);
    return buffer;
  }

  releaseScratch(): void {
    for (const buffer of this.#scratch) this.free(buffer);
    this.#scratch = [];
  }

  /** An error as a DeviceError that says what went wrong in doing what; itself when it is one. */
  error(what: string, cause: unknown): DeviceError {
    if (cause instanceof DeviceError) return cause;
    const { lost } = this.runtime;
    const message = cause instanceof Error || isGpuError(cause) ? cause.message : String(cause);
    return lost === undefined
      ? new DeviceError("gpu", `${what} failed: ${message}`, { cause })
      : new DeviceError("gpu", `${what} failed: the device was lost (${lost}); make a new backend and load again`, {
          cause,
        });
  }

  dispose(): void {
    this.queue.run(() => {
      this.#disposed = true;
      this.programs.dispose();
      this.runtime.dispose();
    });
  }

  #expectDevice(): void {
    if (this.runtime.lost !== undefined) throw new Error(this.runtime.lost);
    if (this.#disposed) throw new Error("the backend was disposed");
  }

  #expect(length: number): DeviceBuffer {
    this.usedBytes += length * 4;
    return new DeviceBuffer(length);
  }

  #argument(buffer: DeviceBuffer): unknown {
    if (buffer.handle === undefined) throw new Error("an operand was freed");
    return this.runtime.argument(buffer.handle, buffer.length);
  }

  #start(
    spec: KernelSpec,
    kernel: KernelShortcut,
    values: readonly unknown[],
    threads: number,
    result: DeviceBuffer,
    operands: readonly DeviceBuffer[],
  ): Promise<void> | undefined {
    const made = this.runtime.run(kernel, values, threads, spec.components ?? 1);
    this.counts.launches++;
    if (made instanceof Promise) return made.then((done) => this.#check(spec, kernel, done, result, operands));
    this.#check(spec, kernel, made, result, operands);
    return undefined;
  }

  #check(
    spec: KernelSpec,
    kernel: KernelShortcut,
    made: Made,
    result: DeviceBuffer,
    operands: readonly DeviceBuffer[],
  ): void {
    const { fallbackReason } = kernel.kernel;
    if (fallbackReason !== null) {
      if (!this.allowFallback) {
        this.runtime.free(made.handle);
        throw new Error(
          `GPU.js left ${this.runtime.mode} mode for the CPU: ${fallbackReason} (allowFallback: true accepts that)`,
        );
      }
      this.#degraded(spec.name, fallbackReason);
    }
    this.#made(result, spec.name, made, operands);
  }

  /** Keeps what was made, and awaits what the device says to it, after what it said to the operands. */
  #made(result: DeviceBuffer, what: string, { handle, problem }: Made, operands: readonly DeviceBuffer[]): void {
    result.handle = handle;
    if (!problem) return;
    const accept = async (): Promise<void> => {
      const [found] = await Promise.all([problem, ...operands.map(({ accepted }) => accepted)]);
      result.error ??= operands.find(({ error }) => error)?.error ?? (found ? this.error(what, found) : undefined);
    };
    const accepted = accept().then(() => {
      if (result.accepted === accepted) result.accepted = undefined;
    });
    result.accepted = accepted;
  }

  #fail(result: DeviceBuffer, what: string, cause: unknown): void {
    result.error = this.error(what, cause);
  }
}

function isGpuError(value: unknown): value is GPUError {
  return typeof (value as Partial<GPUError> | null)?.message === "string";
}
