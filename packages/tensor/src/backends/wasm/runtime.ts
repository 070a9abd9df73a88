import { byteSize, type DType } from "../../dtype.ts";
import { DeviceError } from "../../errors.ts";
import { isContiguous, sizeOf } from "../../shape.ts";
import type { Storage, View } from "../backend.ts";
import {
  FLOAT_CAPACITY,
  FLOATS,
  INT_CAPACITY,
  INTS,
  TRAINING_MODULE,
  TRAINING_MODULE_CAPACITY,
  TRAINING_MODULE_LENGTH,
} from "./abi.ts";
import { affordableWorkers, limitedAddressSpace } from "./address-space.ts";
import type { Block } from "./allocator.ts";
import { type ByteKernels, type Int8Products, noByteKernels, probeByteProducts } from "./byte-products.ts";
import { canShareMemory, hasRelaxedSimd, hasSimd } from "./features.ts";
import { jobs } from "./kernels.generated.ts";
import { WasmMemory } from "./memory.ts";
import { byteKernelBinary, compiledKernels, compiledModule, kernelsIn } from "./module.ts";
import { type KernelModules, tooFewThreads, WorkerPool } from "./pool.ts";
import { collapsedCopy } from "./strided-copy.ts";

/** A view of elements at an address of the memory, in logical order. */
export interface AddressedView<D extends DType = DType> extends View<D> {
  readonly storage: Storage<D> & { readonly pointer: number };
}

/** The kernels' jobs, by name: every exported `…Job` function of kernels/*.ts. */
export type Job = keyof typeof jobs;

/**
 * Looks at the done word before the calling thread waits for its workers in the kernel of the system: half a millisecond or
 * so, more than a worker needs for the last chunk of most jobs, because to be woken takes a tenth of one.
 */
const CALLER_SPINS = 200_000;
/** Elements that are worth a chunk of their own in a copy: less is done before a second thread has heard of it. */
const COPY_CHUNK = 32_768;

interface KernelExports {
  runAlone(job: number, chunks: number): void;
  runShared(job: number, chunks: number, spins: number): number;
  shutDown(): void;
}

/** Kernels that most programs do without, so that they are not part of this one: those of training. */
export interface AddedKernels {
  /** The binary, for plain or for relaxed SIMD. */
  binary(relaxedSimd: boolean): Uint8Array;
}

/** Runs a chunk of a job that the main kernels have not got. */
type RunChunk = (job: number, chunk: number) => void;

export interface RuntimeOptions {
  readonly threads: number;
  readonly deterministic: boolean;
  readonly workerTimeout: number;
  /** The binary of the byte kernels; undefined for none. Default: those that the package has, where the engine can compile them. */
  readonly byteKernels?: Uint8Array | undefined;
  /** The kernels, if they are compiled already: a `WebAssembly.Module`. Then there are no byte kernels: words give the same bits. */
  readonly module?: object | undefined;
}

/** The kernels, their memory and their threads: what overrides run jobs with. */
export class WasmRuntime {
  readonly memory = new WasmMemory();
  /** Threads that work on a job, the calling one included. */
  readonly threads: number;
  readonly relaxedSimd: boolean;
  /** How int8 matrices are laid out and multiplied. */
  readonly int8Products: Int8Products;
  readonly #modules: KernelModules;
  readonly #exports: KernelExports;
  readonly #workerTimeout: number;
  readonly #scratch: Block[] = [];
  #ints: Int32Array = new Int32Array(0);
  #floats: Float32Array = new Float32Array(0);
  #pool: WorkerPool | undefined;
  #runAddedChunk: RunChunk | undefined;
  #notice: string | undefined;
  #disposed = false;

  constructor(options: RuntimeOptions) {
    const { threads, deterministic, workerTimeout, module } = options;
    if (!module && !hasSimd())
      throw new DeviceError("wasm", "this engine has no WebAssembly SIMD; use the reference device");
    const relaxed = hasRelaxedSimd();
    const { byteKernels = relaxed && !module ? byteKernelBinary() : undefined } = options;
    const wanted = canShareMemory() ? threads : 1;
    const space = wanted > 1 ? limitedAddressSpace() : undefined;
    this.threads = space ? Math.min(wanted, 1 + affordableWorkers(space)) : wanted;
    if (this.threads < wanted) {
      this.#notice = tooFewThreads(this.threads, wanted, "ulimit -v leaves no addresses for more");
    }
    const { module: main, relaxedSimd } = module
      ? kernelsIn(module, deterministic)
      : compiledKernels(!deterministic && relaxed);
    this.relaxedSimd = relaxedSimd;
    this.#workerTimeout = workerTimeout;
    const bytes = byteKernels === undefined ? undefined : compiledModule(byteKernels);
    this.#modules = { main, bytes };
    const memory = this.memory.memory as WebAssembly.Memory;
    const instance = bytes && new WebAssembly.Instance(bytes, { env: { memory } });
    const kernels = (instance?.exports as ByteKernels | undefined) ?? noByteKernels;
    this.int8Products = instance ? probeByteProducts(kernels, this.memory) : "words";
    const training = { runChunk: ((job, chunk) => this.#runAddedChunk!(job, chunk)) satisfies RunChunk };
    const imports = { env: { memory }, bytes: { ...kernels }, training };
    this.#exports = new WebAssembly.Instance(this.#modules.main, imports).exports as unknown as KernelExports;
  }

  /** Why there are fewer threads than were asked for. */
  get notice(): string | undefined {
    return this.#notice ?? this.#pool?.notice;
  }

  /** The pool, once a job was large enough to start it. */
  get pool(): WorkerPool | undefined {
    return this.#pool;
  }

  /**
   * Runs `chunks` pieces of a job, on all threads when there is more than one piece. Returns when all are done.
   * Kernels read `ints` (addresses among them) and `floats` by index.
   */
  run(job: Job, chunks: number, ints: readonly number[], floats?: readonly number[]): void {
    this.runNumber(jobs[job], job, chunks, ints, floats);
  }

  /** As {@link WasmRuntime.run}, for a job by its number; `name`: for messages. */
  runNumber(job: number, name: string, chunks: number, ints: readonly number[], floats: readonly number[] = []): void {
    this.check();
    if (chunks <= 0) return;
    this.#writeArguments(ints, floats);
    if (chunks === 1 || this.threads === 1) {
      try {
        this.#exports.runAlone(job, chunks);
      } catch (error) {
        throw kernelFailure(name, error);
      }
      return;
    }
    this.#pool ??= new WorkerPool(this.#modules, this.memory, this.threads - 1, this.#workerTimeout);
    let finished = 0;
    try {
      finished = this.#exports.runShared(job, chunks, CALLER_SPINS);
    } catch (error) {
      const failure = kernelFailure(name, error);
      this.#pool.abandon(failure.message);
      throw failure;
    }
    if (!finished) this.#pool.wait(chunks);
  }

  /**
   * Makes more kernels known, unless they are: on this thread now, and in the memory, where each worker finds them when it first
   * needs them. Throws {@link DeviceError} where programs may not compile.
   */
  add({ binary }: AddedKernels): void {
    if (this.#runAddedChunk) return;
    const bytes = binary(this.relaxedSimd);
    if (bytes.length > TRAINING_MODULE_CAPACITY) throw new DeviceError("wasm", "the added kernels do not fit");
    const env = { memory: this.memory.memory as WebAssembly.Memory };
    const { exports } = new WebAssembly.Instance(compiledModule(bytes, "gradients need them"), { env });
    new Uint8Array(this.memory.buffer).set(bytes, TRAINING_MODULE);
    new Int32Array(this.memory.buffer)[TRAINING_MODULE_LENGTH >> 2] = bytes.length;
    this.#runAddedChunk = exports["runChunk"] as RunChunk;
  }

  /** Into how many chunks to split `work` units when fewer than `grain` are not worth a thread's attention. */
  chunks(work: number, grain: number, perThread = 4): number {
    if (this.threads === 1) return 1;
    return Math.max(1, Math.min(Math.floor(work / grain), this.threads * perThread));
  }

  /** Address of `bytes` of temporary memory, given back when the running op ends. */
  scratch(bytes: number): number {
    const block = this.memory.allocate(bytes);
    this.#scratch.push(block);
    return block.pointer;
  }

  /** Runs a step of an op that has many, and gives back the scratch memory that it took. */
  withScratch(step: () => void): void {
    const before = this.#scratch.length;
    step();
    this.#releaseScratchFrom(before);
  }

  /** Gives back all scratch memory. The backend calls it after every op, also one that threw. */
  releaseScratch(): void {
    this.#releaseScratchFrom(0);
  }

  #releaseScratchFrom(first: number): void {
    while (this.#scratch.length > first) this.memory.release(this.#scratch.pop()!);
  }

  /** Address of the view's first element. The view must not be of a packed matrix. */
  pointer(view: AddressedView): number {
    return view.storage.pointer + view.offset * byteSize(view.dtype);
  }

  /** Address of the view's elements in row-major order: its own memory, or a temporary copy when it is strided. */
  contiguous(view: AddressedView): number {
    if (isContiguous(view.shape, view.strides)) return this.pointer(view);
    const copy = this.scratch(sizeOf(view.shape) * byteSize(view.dtype));
    this.copy(view, copy);
    return copy;
  }

  /** Copies a strided view to `target`, row-major or with the strides given (in elements). */
  copy(view: AddressedView, target: number, targetStrides?: readonly number[]): void {
    const size = sizeOf(view.shape);
    if (size === 0) return;
    const axes = collapsedCopy(view.shape, view.strides, targetStrides);
    const chunks = Math.min(axes[0]!.size, this.chunks(size, COPY_CHUNK));
    const bytes = byteSize(view.dtype);
    this.run("copyJob", chunks, [
      this.pointer(view),
      target,
      bytes,
      axes.length,
      ...axes.flatMap(({ size, source, target }) => [size, source, target]),
    ]);
  }

  /** Throws {@link DeviceError} when the backend was disposed or lost a worker. */
  check(): void {
    if (this.#disposed) throw new DeviceError("wasm", "this backend was disposed");
    this.#pool?.check();
  }

  dispose(): void {
    this.#disposed = true;
    this.#exports.shutDown();
    this.#pool?.dispose();
  }

  #writeArguments(ints: readonly number[], floats: readonly number[]): void {
    if (ints.length > INT_CAPACITY || floats.length > FLOAT_CAPACITY) {
      throw new DeviceError("wasm", `a job takes at most ${INT_CAPACITY} integers: its operands have too many axes`);
    }
    const { buffer } = this.memory;
    if (this.#ints.buffer !== buffer) {
      this.#ints = new Int32Array(buffer, INTS, INT_CAPACITY);
      this.#floats = new Float32Array(buffer, FLOATS, FLOAT_CAPACITY);
    }
    for (let i = 0; i < ints.length; i++) this.#ints[i] = ints[i]!;
    for (let i = 0; i < floats.length; i++) this.#floats[i] = floats[i]!;
  }
}

function kernelFailure(job: string, cause: unknown): DeviceError {
  return new DeviceError("wasm", `${job} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
