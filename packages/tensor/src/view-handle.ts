import type { Backend, Storage, View } from "./backends/backend.ts";
import type { DataOf, DType } from "./dtype.ts";
import { DisposedError, ShapeMismatchError } from "./errors.ts";
import { checkTarget, nest, rowMajor } from "./host-data.ts";
import { track, untrack } from "./memory.ts";
import { formatTensor } from "./print.ts";
import { showShape, sizeOf } from "./shape.ts";
import type { NestedArray } from "./types/reshape.ts";
import type { Shape } from "./types/shape-types.ts";

/** What a tensor is besides its operations: a view of some memory, which it holds, and from which its elements are read. */
export abstract class ViewHandle<S extends Shape, D extends DType> implements View<D> {
  readonly storage: Storage<D>;
  readonly dtype: D;
  readonly shape: S;
  readonly strides: readonly number[];
  readonly offset: number;
  #disposed = false;

  /** For ops; to make a tensor use the creation functions, such as {@link zeros}. */
  constructor(view: View<D>) {
    this.storage = view.storage;
    this.dtype = view.dtype;
    this.shape = view.shape as S;
    this.strides = view.strides;
    this.offset = view.offset;
    this.storage.retain();
    track(this);
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  get device(): Backend {
    return this.storage.backend;
  }

  // ---- memory ------------------------------------------------------------------------------------------------------

  /** Lets go of the memory: it is freed once no other tensor views it. Disposing twice is harmless. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    untrack(this);
    this.storage.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  // ---- data out ----------------------------------------------------------------------------------------------------

  /**
   * A copy of the elements, row-major: in `into` if it is given (an array of the element type, as long as the tensor), which
   * spares large results that are read again and again the taking of fresh memory. Throws {@link ShapeMismatchError} where
   * `into` is another array.
   */
  async data(into?: DataOf[D]): Promise<DataOf[D]> {
    const { storage } = this.live();
    if (into) checkTarget(into, this.dtype, this.shape);
    storage.retain(); // so that disposing the tensor while the device works does not take the elements away
    try {
      return rowMajor(await storage.backend.read(storage), this, into);
    } finally {
      storage.release();
    }
  }

  /** As {@link Tensor.data}, at once. Throws {@link DeviceError} on devices that cannot wait. */
  dataSync(into?: DataOf[D]): DataOf[D] {
    const { storage } = this.live();
    if (into) checkTarget(into, this.dtype, this.shape);
    return rowMajor(storage.backend.readSync(storage), this, into);
  }

  /** The elements as nested arrays (a bare number for a scalar). */
  async toList(): Promise<NestedArray> {
    return nest(await this.data(), this.shape, this.dtype);
  }

  /** As {@link Tensor.toList}, at once. */
  toListSync(): NestedArray {
    return nest(this.dataSync(), this.shape, this.dtype);
  }

  /** The only element of a tensor of one. */
  async item(): Promise<number> {
    this.#assertOneElement();
    return (await this.data())[0]!;
  }

  /** As {@link Tensor.item}, at once. */
  itemSync(): number {
    this.#assertOneElement();
    return this.dataSync()[0]!;
  }

  /** The elements laid out to be read, long axes cut to their ends; without the elements on devices that cannot wait. */
  toString(): string {
    const { name } = this.device;
    if (this.#disposed) return `Tensor ${this.dtype} ${showShape(this.shape)} (disposed)`;
    if (name === "gpu") return `Tensor ${this.dtype} ${showShape(this.shape)} on gpu (await data() to see it)`;
    return formatTensor(this.dtype, this.shape, this.dataSync(), name);
  }

  /** What Node's `console.log` shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  // ---- inside ------------------------------------------------------------------------------------------------------

  /** Itself; throws {@link DisposedError} after it was disposed. */
  protected live(): this {
    if (this.#disposed) throw new DisposedError();
    return this;
  }

  #assertOneElement(): void {
    if (this.size !== 1) throw new ShapeMismatchError("item", `expected one element, got ${showShape(this.shape)}`);
  }
}
