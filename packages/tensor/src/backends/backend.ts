import type { DataOf, DType } from "../dtype.ts";
import type { Encoding, MatrixEncoding } from "../encodings/index.ts";
import { DeviceError } from "../errors.ts";

/** The kinds of device there are. */
export type DeviceName = "reference" | "wasm" | "gpu";

/** How a device keeps a matrix `[rows, columns]` that it has packed. */
export interface PackedMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly encoding: Encoding;
}

/**
 * The memory behind one or more tensors. Counted: every tensor that looks at it retains it, and the last one that lets
 * go gives the memory back to the device.
 */
export abstract class Storage<D extends DType = DType> {
  readonly backend: Backend;
  readonly dtype: D;
  /** Number of elements. */
  readonly length: number;
  /** Set where the elements are a matrix's that {@link Backend.pack} made, which ops read and do not write. */
  readonly packed: PackedMatrix | undefined;
  #references = 0;
  #freed = false;

  constructor(backend: Backend, dtype: D, length: number, packed?: PackedMatrix) {
    this.backend = backend;
    this.dtype = dtype;
    this.length = length;
    this.packed = packed;
  }

  get freed(): boolean {
    return this.#freed;
  }

  retain(): void {
    this.#references++;
  }

  release(): void {
    if (--this.#references > 0 || this.#freed) return;
    this.#freed = true;
    this.free();
  }

  /** Lets go without freeing: the memory goes to whoever retains it next. */
  handOn(): void {
    this.#references--;
  }

  /** Gives the memory back. Called once. */
  protected abstract free(): void;
}

/** A strided window onto a storage: element `[i, j, …]` is number `offset + i·strides[0] + j·strides[1] + …`. */
export interface View<D extends DType = DType> {
  readonly storage: Storage<D>;
  readonly dtype: D;
  readonly shape: readonly number[];
  /** In elements; 0 where an axis is stretched by broadcasting. */
  readonly strides: readonly number[];
  /** In elements. */
  readonly offset: number;
}

/** A view whose numbers the CPU can address: `data` is the whole storage, so `offset` and `strides` apply to it. */
export interface CpuView<D extends DType = DType> extends View<D> {
  readonly data: DataOf[D];
}

/**
 * A kernel reads its inputs and writes every element of its outputs, which do not overlap the inputs. Outputs are
 * contiguous unless the op says otherwise. Shapes were checked by the op, and broadcast inputs already have the
 * output's shape.
 */
export type Kernel<Params> = (inputs: readonly CpuView[], params: Params, outputs: readonly CpuView[]) => void;

/**
 * An operation as every backend knows it: a name, and the plain kernel that defines its meaning. A backend that has
 * nothing better runs that kernel and records that it did.
 */
export interface Op<Params = undefined> {
  readonly name: string;
  readonly reference: Kernel<Params>;
  /**
   * Kernels that a device has not got, by its name, in the device's own form: those of training come with their ops, so that
   * programs that only run models do not load them.
   */
  readonly kernels?: { readonly [device in DeviceName]?: unknown };
}

// Calls are marked as pure where ops are declared, so that bundlers leave out those that a page does not use.
export function defineOp<Params = undefined>(
  name: string,
  reference: Kernel<Params>,
  kernels?: Op<Params>["kernels"],
): Op<Params> {
  return kernels ? { name, reference, kernels } : { name, reference };
}

/** A packed matrix in the making. */
export interface MatrixPacker {
  /** The matrix. Its elements are what was written so far, and anything where nothing was. */
  readonly matrix: View<"float32">;
  /** What the first column of every piece is a multiple of. */
  readonly columnMultiple: number;
  /** Packs `columns` `[K, n]` as the columns from `first` on. */
  write(first: number, columns: View<"float32">): void;
  /**
   * As {@link MatrixPacker.write}, from what an encoding of integers found before: `integers` `[K, n]`, each byte a signed one,
   * and `scales` `[K / group, n]`, rounded up. Element (i, j) becomes integers[i, j] · scales[i / group, j]. Throws
   * {@link DeviceError} for an encoding that has no integers.
   */
  writeIntegers(first: number, integers: View<"uint8">, scales: View<"float32">): void;
}

/** Shape and element type of a tensor to be made, or of an argument. */
export interface Spec<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
}

/** A function of arrays that a device has compiled. */
export interface CompiledOps {
  /** How it runs, in the device's own words. */
  readonly executorKind: string;
  /** Why it runs op by op; undefined when it does not. */
  readonly fallbackReason: string | undefined;
  /** The result's elements, row-major, for the elements of each argument. */
  run(...data: readonly DataOf[DType][]): Promise<DataOf[DType]>;
  dispose(): void;
}

/** What runs ops and holds storages. Kept narrow, so that a new device is a small thing to write. */
export interface Backend {
  readonly name: DeviceName;
  /** Whether an op is done when {@link Backend.execute} returns, and elements can be read at once. */
  readonly synchronous: boolean;
  /** Whether results have the same bits on every machine and engine. */
  readonly deterministic: boolean;
  /** Room for `length` elements, not initialised. Throws {@link DeviceError} when there is none. */
  allocate<D extends DType>(dtype: D, length: number): Storage<D>;
  /** Copies host data into new storage. */
  upload<D extends DType>(dtype: D, data: DataOf[D]): Storage<D>;
  /**
   * The elements of a fresh storage, for the CPU to write: how data gets in without a second copy. Undefined on a
   * device whose memory the CPU does not reach; then {@link Backend.upload} is the way.
   */
  writable<D extends DType>(storage: Storage<D>): DataOf[D] | undefined;
  /** The storage's elements in logical order, copied or not: the caller must not write to them, nor keep them. */
  read<D extends DType>(storage: Storage<D>): Promise<DataOf[D]>;
  /** As {@link Backend.read}, at once. Throws {@link DeviceError} on a device that cannot. */
  readSync<D extends DType>(storage: Storage<D>): DataOf[D];
  /** Runs an op: from `inputs` into `outputs`, all of them on this backend. */
  execute<Params>(op: Op<Params>, inputs: readonly View[], params: Params, outputs: readonly View[]): void;
  /** What packed matrices can be kept as here. */
  readonly encodings: readonly MatrixEncoding[];
  /**
   * The same matrix `[K, N]`, laid out in the order this backend's matmul reads its right operand. Strides and offset of
   * the result address the elements' logical order, whatever their order in memory; ops that do not know the layout
   * see an unpacked copy. May return the view it was given, if the elements are to stay float32 (the default).
   */
  pack(matrix: View<"float32">, encoding?: MatrixEncoding): View<"float32">;
  /**
   * A packed matrix `[K, N]` to be filled piece by piece, so that large weights need not exist as float32 at once. Undefined
   * on a device that packs whole matrices of float32 only.
   */
  packer?(shape: readonly [number, number], encoding: MatrixEncoding): MatrixPacker;
  /**
   * Compiles what `fn` does to arrays of these shapes. `fn` takes over the storages of its arguments, and returns a contiguous
   * view whose storage it has retained. Undefined on a device that runs ops as fast one by one.
   */
  compile?(inputs: readonly Spec[], fn: (inputs: readonly View[]) => View): Promise<CompiledOps>;
  /** What whoever chose this device should know of where it runs; undefined when there is nothing to say. */
  readonly notice?: string | undefined;
  /** Ops that ran on the reference kernel because this backend has no better one (or not for such operands). */
  readonly fallbacks: FallbackLog;
}

/** Throws {@link DeviceError} for an encoding that a backend does not have. */
export function expectEncoding({ name, encodings }: Backend, encoding: MatrixEncoding): void {
  if (encodings.includes(encoding)) return;
  throw new DeviceError(name, `it has no ${encoding} matrices; it has ${encodings.join(", ")}`);
}

/** How often, and why, ops fell back to the reference kernels. */
export class FallbackLog {
  readonly #entries = new Map<string, { count: number; readonly reason: string }>();

  record(op: string, reason: string): void {
    const key = `${op}: ${reason}`;
    const entry = this.#entries.get(key);
    if (entry) entry.count++;
    else this.#entries.set(key, { count: 1, reason });
  }

  /** One entry per op and reason, e.g. `{ op: "sort", reason: "no wasm kernel", count: 2 }`. */
  entries(): { op: string; reason: string; count: number }[] {
    return [...this.#entries].map(([key, { count, reason }]) => ({
      op: key.slice(0, key.length - reason.length - 2),
      reason,
      count,
    }));
  }

  clear(): void {
    this.#entries.clear();
  }
}
