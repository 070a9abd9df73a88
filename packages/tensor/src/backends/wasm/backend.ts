import { type DataOf, type DType, newData } from "../../dtype.ts";
import { encodings, type MatrixEncoding } from "../../encodings/index.ts";
import { DeviceError } from "../../errors.ts";
import { yieldToEventLoop } from "../../event-loop.ts";
import { checkOptionNames } from "../../options.ts";
import {
  type Backend,
  type CpuView,
  expectEncoding,
  FallbackLog,
  type MatrixPacker,
  type Op,
  type Storage,
  type View,
} from "../backend.ts";
import { discard } from "../dispatch.ts";
import { PANEL_WIDTH } from "./abi.ts";
import { type WasmEncodings, wasmEncodings } from "./encodings/index.ts";
import { defaultThreads } from "./features.ts";
import { overrides } from "./overrides/index.ts";
import type { WasmKernel } from "./overrides/kernel.ts";
import { addressOf, emptyPacked, packInto, unpackMatrix } from "./packed.ts";
import { WasmRuntime } from "./runtime.ts";
import { WasmStorage, type WasmView } from "./storage.ts";

export interface WasmOptions {
  /** Threads that compute, the calling one included. Default: the cores that pay; 1 where memory cannot be shared. */
  readonly threads?: number;
  /** The same bits on every engine: no fused multiply-add. Default false. */
  readonly deterministic?: boolean;
  /** Milliseconds without progress after which a worker counts as lost and the op throws. Default 30,000. */
  readonly workerTimeout?: number;
  /**
   * The kernels as a `WebAssembly.Module`, for places where programs may not compile: of `@gpt2-ts/tensor/kernels.wasm`, or
   * of `@gpt2-ts/tensor/kernels-relaxed.wasm`, with fused multiply-adds. Default: this package compiles its own.
   */
  readonly module?: object | undefined;
}

/** What a wasm backend runs on. */
export interface WasmInfo {
  readonly threads: number;
  /** Whether fused multiply-adds are used, which round differently from the deterministic build. */
  readonly relaxedSimd: boolean;
  /**
   * How `int8` matrices are multiplied, which was found out by trying: as bytes where the processor's instruction is exact, or
   * else as words of 16 bits. The bits of results are the same.
   */
  readonly int8Products: "words" | "unsigned bytes" | "signed bytes";
  /** Bytes in use by tensors. */
  readonly usedBytes: number;
  /** The most bytes that were in use at once, by tensors and by what operations need while they run. */
  readonly peakBytes: number;
  /** Bytes of the memory, which grows by 64 MiB: addresses, that the system gives memory for when they are first written to. */
  readonly memoryBytes: number;
}

/** WebAssembly SIMD kernels on a pool of threads over one shared memory; what has no kernel runs the reference. */
export class WasmBackend implements Backend {
  readonly name = "wasm";
  readonly synchronous = true;
  readonly fallbacks = new FallbackLog();
  readonly encodings = Object.keys(encodings) as MatrixEncoding[];
  /** For kernels and tests: memory, threads, jobs. */
  readonly runtime: WasmRuntime;
  readonly #byName: WasmEncodings;

  /**
   * Throws {@link DeviceError} where the engine has no SIMD or no shared memory, or for another `module`; RangeError for a bad
   * option.
   *
   * @param byteKernels for tests: the byte kernels instead of the package's own
   */
  constructor(options: WasmOptions = {}, byteKernels?: Uint8Array) {
    checkOptionNames(options, ["threads", "deterministic", "workerTimeout", "module"], "createWasmBackend");
    const { threads, deterministic = false, workerTimeout = 30_000, module } = options;
    if (threads !== undefined && (!Number.isInteger(threads) || threads < 1 || threads > 64)) {
      throw new RangeError(`wasm: threads must be an integer from 1 to 64, not ${threads}`);
    }
    if (!(workerTimeout > 0)) throw new RangeError(`wasm: workerTimeout must be positive, not ${workerTimeout}`);
    this.runtime = new WasmRuntime({
      threads: threads ?? defaultThreads(),
      deterministic,
      workerTimeout,
      byteKernels,
      module,
    });
    this.#byName = wasmEncodings(this.runtime.int8Products);
  }

  get deterministic(): boolean {
    return !this.runtime.relaxedSimd;
  }

  get notice(): string | undefined {
    return this.runtime.notice;
  }

  info(): WasmInfo {
    const { threads, relaxedSimd, int8Products, memory } = this.runtime;
    const [usedBytes, peakBytes, memoryBytes] = [memory.used, memory.mostUsed, memory.buffer.byteLength];
    return { threads, relaxedSimd, int8Products, usedBytes, peakBytes, memoryBytes };
  }

  allocate<D extends DType>(dtype: D, length: number): WasmStorage<D> {
    this.runtime.check();
    return new WasmStorage(this, this.runtime.memory, dtype, length);
  }

  upload<D extends DType>(dtype: D, data: DataOf[D]): WasmStorage<D> {
    const storage = this.allocate(dtype, data.length);
    storage.data.set(data);
    return storage;
  }

  writable<D extends DType>(storage: Storage<D>): DataOf[D] {
    return (storage as WasmStorage<D>).data;
  }

  async read<D extends DType>(storage: Storage<D>): Promise<DataOf[D]> {
    if (this.runtime.memory.takePressure()) await yieldToEventLoop(); // finalizers of dead tensors run then
    return this.readSync(storage);
  }

  readSync<D extends DType>(storage: Storage<D>): DataOf[D] {
    const own = storage as WasmStorage<D>;
    if (!own.packed) return own.data;
    try {
      return this.#unpacked(own as WasmStorage) as DataOf[D];
    } finally {
      this.runtime.releaseScratch();
    }
  }

  execute<Params>(op: Op<Params>, inputs: readonly View[], params: Params, outputs: readonly View[]): void {
    this.runtime.check();
    const kernel = (overrides.get(op.name) ?? op.kernels?.wasm) as WasmKernel<Params> | undefined;
    try {
      const reason = kernel
        ? kernel(this.runtime, inputs as WasmView[], params, outputs as WasmView[])
        : "no wasm kernel";
      if (reason !== undefined) this.#fallBack(op, reason, inputs as WasmView[], params, outputs as WasmView[]);
    } finally {
      this.runtime.releaseScratch();
    }
  }

  pack(matrix: View<"float32">, encoding: MatrixEncoding = "f32"): View<"float32"> {
    this.runtime.check();
    const [rows, columns] = matrix.shape as [number, number];
    const packedAs = (matrix as WasmView).storage.packed?.encoding.name;
    if (matrix.shape.length !== 2 || rows === 0 || columns === 0 || packedAs === encoding) return matrix;
    const packer = this.packer([rows, columns], encoding);
    try {
      packer.write(0, matrix);
    } catch (error) {
      discard(packer.matrix.storage);
      throw error;
    }
    return packer.matrix;
  }

  packer(shape: readonly [number, number], encoding: MatrixEncoding): MatrixPacker {
    this.runtime.check();
    expectEncoding(this, encoding);
    const { name, packIntegers } = this.#byName[encoding];
    const matrix = emptyPacked(this, this.runtime, shape, this.#byName[encoding]);
    return {
      matrix,
      columnMultiple: PANEL_WIDTH,
      write: (first, columns) => this.#packColumns(matrix, first, columns as WasmView<"float32">),
      writeIntegers: (first, integers, scales) => {
        this.runtime.check();
        if (!packIntegers) throw new DeviceError("wasm", `a matrix of ${name} takes no integers`);
        const target = addressOf(matrix.storage, first);
        packIntegers(this.runtime, integers as WasmView<"uint8">, scales as WasmView<"float32">, target);
      },
    };
  }

  /** Ends the workers. Tensors of this backend cannot be computed with any more. */
  dispose(): void {
    this.runtime.dispose();
  }

  #packColumns(target: WasmView<"float32">, first: number, columns: WasmView<"float32">): void {
    this.runtime.check();
    const { storage } = columns;
    // A matrix that is packed in another way is unpacked first.
    const plain = storage.packed ? this.upload("float32", this.readSync(storage)) : storage;
    try {
      packInto(this.runtime, target.storage, first, { ...columns, storage: plain });
    } finally {
      this.runtime.releaseScratch();
      if (plain !== storage) discard(plain);
    }
  }

  #fallBack<Params>(
    op: Op<Params>,
    reason: string,
    inputs: readonly WasmView[],
    params: Params,
    outputs: readonly WasmView[],
  ): void {
    this.fallbacks.record(op.name, reason);
    op.reference(
      inputs.map((view) => this.#onCpu(view)),
      params,
      outputs.map((view) => this.#onCpu(view)),
    );
  }

  #onCpu(view: WasmView): CpuView {
    const { storage, dtype, shape, strides, offset } = view;
    const data = storage.packed ? this.#unpacked(storage) : storage.data;
    return { storage, dtype, shape, strides, offset, data };
  }

  #unpacked(storage: WasmStorage): Float32Array {
    if (storage.dtype !== "float32") throw new DeviceError("wasm", "only float32 matrices are packed");
    const elements = newData("float32", storage.length);
    unpackMatrix(this.runtime, storage, elements);
    return elements;
  }
}

/** A wasm backend of its own: memory, kernels and workers. */
export function createWasmBackend(options?: WasmOptions): WasmBackend {
  return new WasmBackend(options);
}
