import type { DataOf, DType } from "../dtype.ts";

/** The kinds of device there are. */
export type DeviceName = "reference" | "wasm" | "gpu";

/**
 * The memory behind one or more tensors. Counted: every tensor that looks at it retains it, and the last one that lets
 * go gives the memory back to the device.
 */
export abstract class Storage<D extends DType = DType> {
  readonly backend: Backend;
  readonly dtype: D;
  /** Number of elements. */
  readonly length: number;
  /** Whether it holds a matrix as {@link Backend.pack} lays it out, which ops read and do not write. */
  readonly packed: boolean;
  #references = 0;
  #freed = false;

  constructor(backend: Backend, dtype: D, length: number, packed = false) {
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
 * nothing better runs that kernel and records that it did. (A gradient rule will stand here too.)
 */
export interface Op<Params = undefined> {
  readonly name: string;
  readonly reference: Kernel<Params>;
}

export function defineOp<Params = undefined>(name: string, reference: Kernel<Params>): Op<Params> {
  return { name, reference };
}

/**
 * How the elements of a packed matrix `[K, N]` are kept: as float32 (`f32`), rounded to the nearest bfloat16 (`bf16`), or as
 * 8-bit integers with a float32 scale for each column and group of {@link INT8_GROUP} rows (`int8`). Ops see float32
 * whichever it is, except that a product with an `int8` matrix may quantize its left operand too, to 14 bits by row and
 * group, and sum integers.
 */
export type MatrixEncoding = "f32" | "bf16" | "int8";

/** Rows of an `int8` matrix that share a scale, column by column. */
export const INT8_GROUP = 64;

/** A packed matrix in the making. */
export interface MatrixPacker {
  /** The matrix. Its elements are what was written so far, and anything where nothing was. */
  readonly matrix: View<"float32">;
  /** Packs `columns` `[K, n]` as the columns from `first`, a multiple of 8, on. */
  write(first: number, columns: View<"float32">): void;
  /**
   * As {@link MatrixPacker.write}, for `int8` only, from what an encoding found before: `integers` `[K, n]`, each byte a signed
   * one, and `scales` `[K / INT8_GROUP, n]`, rounded up. Element (i, j) becomes integers[i, j] · scales[i / INT8_GROUP, j].
   */
  writeIntegers(first: number, integers: View<"uint8">, scales: View<"float32">): void;
}

/** What runs ops and holds storages. Kept narrow, so that a new device is a small thing to write. */
export interface Backend {
  readonly name: DeviceName;
  /** Whether an op is done when {@link Backend.execute} returns, and elements can be read at once. */
  readonly synchronous: boolean;
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
  /** Ops that ran on the reference kernel because this backend has no better one (or not for such operands). */
  readonly fallbacks: FallbackLog;
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
