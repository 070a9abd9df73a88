import type { DataOf, DType } from "../../dtype.ts";
import { encodings, type MatrixEncoding } from "../../encodings/index.ts";
import { DeviceError } from "../../errors.ts";
import { sizeOf } from "../../shape.ts";
import {
  type Backend,
  type CompiledOps,
  expectEncoding,
  FallbackLog,
  type Op,
  type Spec,
  type Storage,
  type View,
} from "../backend.ts";
import type { AdapterDescription } from "./adapter.ts";
import { compileOps } from "./compile.ts";
import { RecordedBuffer } from "./device-buffer.ts";
import type { GpuMode } from "./gpu-js.ts";
import { kernels } from "./kernels/index.ts";
import type { GpuKernel } from "./kernels/kernel.ts";
import type { LaunchCounts, Launcher } from "./launcher.ts";
import type { ModeTrial } from "./mode.ts";
import { fromFloats, GpuStorage, type GpuView, type HostCopy } from "./storage.ts";

/** What a GPU backend runs on, and what it did. */
export interface GpuInfo extends LaunchCounts {
  /** Different kernels compiled. */
  readonly programs: number;
  readonly mode: GpuMode;
  /** Of WebGPU; undefined in the other modes. */
  readonly adapter: AdapterDescription | undefined;
  /** The largest array in bytes; undefined where nothing is known. */
  readonly maxArrayBytes: number | undefined;
  /** Bytes of tensors on the device, and bytes the device holds for them, for the next ones and in compiled functions. */
  readonly usedBytes: number;
  readonly memoryBytes: number;
  /** Kernels that GPU.js runs on the CPU instead, with the reason it gave. Only with `allowFallback`. */
  readonly degraded: Readonly<Record<string, string>>;
  /** What each mode answered when `mode: "auto"` measured them; empty when a mode was asked for. */
  readonly trials: readonly ModeTrial[];
}

/** Where ops without a GPU kernel run. */
type InnerBackend = Backend & { dispose(): void };

/** What the parts of a backend are made of; see `createGpuBackend`. */
export interface GpuParts {
  readonly launcher: Launcher;
  readonly inner: InnerBackend;
  readonly adapter: AdapterDescription | undefined;
  readonly maxArrayBytes: number | undefined;
  readonly degraded: ReadonlyMap<string, string>;
  readonly trials: readonly ModeTrial[];
}

/** Kernels of GPU.js on whatever it found; what has no kernel runs on the CPU, with the data moved there and back. */
export class GpuBackend implements Backend {
  readonly name = "gpu";
  readonly synchronous = false;
  readonly deterministic = false;
  readonly fallbacks = new FallbackLog();
  readonly encodings: readonly MatrixEncoding[] = [encodings.f32.name];
  /** For kernels, compile and tests. */
  readonly launcher: Launcher;
  readonly inner: InnerBackend;
  readonly #parts: GpuParts;

  /** For `createGpuBackend`, which is how to get one. */
  constructor(parts: GpuParts) {
    this.launcher = parts.launcher;
    this.inner = parts.inner;
    this.#parts = parts;
  }

  info(): GpuInfo {
    const { adapter, maxArrayBytes, degraded, trials } = this.#parts;
    const { runtime, programs, counts, usedBytes, pipelineBytes } = this.launcher;
    return {
      mode: runtime.mode,
      adapter,
      maxArrayBytes,
      usedBytes,
      memoryBytes: runtime.memoryBytes + pipelineBytes,
      degraded: Object.fromEntries(degraded),
      trials,
      ...counts,
      programs: programs.count,
    };
  }

  /** Says so when `auto` found nothing better than the CPU. */
  get notice(): string | undefined {
    const { mode } = this.launcher.runtime;
    if (this.#parts.trials.length === 0 || (mode !== "webasm" && mode !== "cpu")) return undefined;
    return `no GPU here that is faster than the CPU: GPU.js runs on the CPU (mode ${mode})`;
  }

  allocate<D extends DType>(dtype: D, length: number): GpuStorage<D> {
    return new GpuStorage(this, this.launcher, this.inner, dtype, length);
  }

  upload<D extends DType>(dtype: D, data: DataOf[D]): GpuStorage<D> {
    const storage = this.allocate(dtype, data.length);
    storage.putHost(ready(this.inner.upload(dtype, data)));
    return storage;
  }

  /** The CPU's copy, which goes to the device when a kernel needs it. */
  writable<D extends DType>(storage: Storage<D>): DataOf[D] | undefined {
    const own = storage as GpuStorage<D>;
    if (!own.empty) return undefined;
    const inner = this.inner.allocate(own.dtype, own.length);
    own.putHost(ready(inner));
    return this.inner.writable(inner);
  }

  async read<D extends DType>(storage: Storage<D>): Promise<DataOf[D]> {
    const own = storage as GpuStorage<D>;
    const { hosted } = own;
    if (!hosted && own.resident) return fromFloats(own.dtype, await this.launcher.read(own.resident));
    const { host } = own;
    return this.launcher.queue.do(() => {
      if (host.error) throw host.error;
      return this.inner.readSync(host.storage!).slice() as DataOf[D];
    });
  }

  readSync<D extends DType>(_storage: Storage<D>): DataOf[D] {
    throw new DeviceError("gpu", "elements on the GPU cannot be read at once; use await data(), toList() or item()");
  }

  execute<Params>(op: Op<Params>, inputs: readonly View[], params: Params, outputs: readonly View[]): void {
    if (outputs.every(({ shape }) => sizeOf(shape) === 0)) return;
    const kernel = kernels.get(op.name) as GpuKernel<Params> | undefined;
    try {
      const reason = kernel
        ? kernel(this.launcher, inputs as GpuView[], params, outputs as GpuView[])
        : "no GPU kernel";
      if (reason !== undefined) this.#fallBack(op, reason, inputs as GpuView[], params, outputs as GpuView[]);
    } finally {
      this.launcher.releaseScratch();
    }
  }

  /** Plain rows: the kernels read no other layout faster. Throws {@link DeviceError} for fewer bits than float32. */
  pack(matrix: View<"float32">, encoding: MatrixEncoding = "f32"): View<"float32"> {
    expectEncoding(this, encoding);
    return matrix;
  }

  compile(inputs: readonly Spec[], fn: (inputs: readonly View[]) => View): Promise<CompiledOps> {
    return compileOps(this, this.launcher, inputs, fn);
  }

  /**
   * Ends its threads and gives back what it holds, but for the tensors that were not disposed of. They cannot be read or
   * computed with any more.
   */
  dispose(): void {
    this.launcher.dispose();
    this.launcher.queue.run(() => this.inner.dispose());
  }

  /** Runs an op on the inner backend when its turn comes; the results stay there until a kernel needs them. */
  #fallBack<Params>(
    op: Op<Params>,
    reason: string,
    inputs: readonly GpuView[],
    params: Params,
    outputs: readonly GpuView[],
  ): void {
    if (inputs.some(({ storage }) => storage.resident instanceof RecordedBuffer)) {
      throw new DeviceError("gpu", `${op.name} cannot be recorded, as it does not run on the GPU: ${reason}`);
    }
    this.fallbacks.record(op.name, reason);
    const sources = inputs.map(({ storage }) => storage.host);
    const targets = outputs.map(({ storage }) => {
      const { host } = storage; // empty storages get room for their elements
      storage.putHost();
      return host;
    });
    this.launcher.queue.run(() => {
      const failed = [...sources, ...targets].find(({ error }) => error);
      try {
        if (failed) throw failed.error;
        this.inner.execute(op, inputs.map(onHost(sources)), params, outputs.map(onHost(targets)));
      } catch (cause) {
        const error = this.launcher.error(op.name, cause);
        for (const target of targets) target.error = error;
      }
    });
  }
}

function ready<D extends DType>(storage: Storage<D>): HostCopy<D> {
  storage.retain();
  return { storage, error: undefined };
}

function onHost(copies: readonly HostCopy[]) {
  return ({ dtype, shape, strides, offset }: View, i: number): View => ({
    storage: copies[i]!.storage!,
    dtype,
    shape,
    strides,
    offset,
  });
}
