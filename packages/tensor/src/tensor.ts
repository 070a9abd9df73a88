import "./symbol-dispose.ts";
import type { Backend, Storage, View } from "./backends/backend.ts";
import { dispatchInto, wholeView } from "./backends/dispatch.ts";
import { type DeviceChoice, device } from "./device.ts";
import type { DataOf, DType } from "./dtype.ts";
import type { MatrixEncoding } from "./encodings/index.ts";
import { DisposedError, ShapeMismatchError } from "./errors.ts";
import { checkTarget, type NestedArray, nest, rowMajor } from "./host-data.ts";
import { track, untrack } from "./memory.ts";
import * as binary from "./ops/binary.ts";
import { expectDType, expectSameDType, expectTensor } from "./ops/checks.ts";
import * as indexing from "./ops/indexing.ts";
import { usingIntermediate } from "./ops/intermediate.ts";
import { matmul } from "./ops/matmul.ts";
import { pack } from "./ops/pack.ts";
import * as rearrange from "./ops/rearrange.ts";
import * as reduce from "./ops/reduce.ts";
import * as softmax from "./ops/softmax.ts";
import * as unary from "./ops/unary.ts";
import { formatTensor } from "./print.ts";
import type { Arithmetic, CheckDTypes, NumberFor, Promote } from "./promotion.ts";
import { broadcastStrides, isContiguous, showShape, sizeOf } from "./shape.ts";
import type {
  Broadcast,
  Check,
  Elementwise,
  Literal,
  MatMul,
  Ok,
  Permute,
  Reduce,
  ReplaceAxis,
  Reshape,
  Shape,
  Transpose,
  Unsqueeze,
} from "./types/shape-types.ts";

/** A tensor of any shape and element type. */
export type AnyTensor = Tensor<Shape, DType>;

/** A tensor beside one of shape S, which broadcasts against it; `Also` refuses element types. */
export type Operand<S extends Shape, B extends Shape, E extends DType, Also = unknown> = Tensor<B, E> &
  Check<Broadcast<S, B>> &
  Also;

/**
 * An n-dimensional array of shape `S` and element type `D` on some device.
 *
 * Values never change (but for {@link Tensor.copy_}); views — transpose, slice, reshape, expand — share memory. Binary
 * operations broadcast as in NumPy. Names are PyTorch's, camel-cased. All methods throw {@link ShapeMismatchError} for
 * shapes or axes that do not fit (most of which do not compile when the shapes are literals), {@link DeviceError} for
 * operands on different devices, and {@link DisposedError} after the tensor was disposed.
 */
export class Tensor<S extends Shape = Shape, D extends DType = "float32"> implements View<D> {
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
    const { storage } = this.#live();
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
    const { storage } = this.#live();
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

  /** The same values on another device (itself, when it is there already). */
  to(target: DeviceChoice | Backend): Tensor<S, D> {
    const backend = typeof target === "string" ? device(target) : target;
    if (backend === this.device) return this;
    return wrap(wholeView(backend.upload(this.dtype, this.dataSync()), this.shape));
  }

  /** The same values as another element type: numbers are cut towards zero, anything but zero is true. */
  cast<E extends DType>(dtype: E): Tensor<S, E> {
    return wrap(unary.cast(this.#live(), dtype) as View<E>);
  }

  // ---- arithmetic, elementwise with broadcasting -------------------------------------------------------------------
  // Operands of different element types meet in one of them, as docs/dtypes.md lists. A number beside a tensor must be one
  // that the tensor's type holds (float32 rounds it), else {@link DTypeError}; comparisons take any number.

  add<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E, CheckDTypes<Arithmetic<D, E>, D, E>> | NumberFor<D>,
  ): Tensor<Elementwise<S, B>, Arithmetic<D, E>> {
    return wrap(binary.add(this.#live(), other as binary.Other));
  }

  sub<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E, CheckDTypes<Arithmetic<D, E>, D, E>> | NumberFor<D>,
  ): Tensor<Elementwise<S, B>, Arithmetic<D, E>> {
    return wrap(binary.sub(this.#live(), other as binary.Other));
  }

  mul<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E, CheckDTypes<Arithmetic<D, E>, D, E>> | NumberFor<D>,
  ): Tensor<Elementwise<S, B>, Arithmetic<D, E>> {
    return wrap(binary.mul(this.#live(), other as binary.Other));
  }

  /** float32, whatever the operands are; {@link truncDiv} divides integers. */
  div<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E> | number,
  ): Tensor<Elementwise<S, B>> {
    return wrap(binary.div(this.#live(), other as binary.Other));
  }

  pow<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E, CheckDTypes<Arithmetic<D, E>, D, E>> | NumberFor<D>,
  ): Tensor<Elementwise<S, B>, Arithmetic<D, E>> {
    return wrap(binary.pow(this.#live(), other as binary.Other));
  }

  maximum<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E> | number,
  ): Tensor<Elementwise<S, B>, Promote<D, E>> {
    return wrap(binary.maximum(this.#live(), other as binary.Other));
  }

  minimum<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E> | number,
  ): Tensor<Elementwise<S, B>, Promote<D, E>> {
    return wrap(binary.minimum(this.#live(), other as binary.Other));
  }

  eq<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E> | number,
  ): Tensor<Elementwise<S, B>, "bool"> {
    return wrap(binary.eq(this.#live(), other as binary.Other));
  }

  ne<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E> | number,
  ): Tensor<Elementwise<S, B>, "bool"> {
    return wrap(binary.ne(this.#live(), other as binary.Other));
  }

  lt<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E> | number,
  ): Tensor<Elementwise<S, B>, "bool"> {
    return wrap(binary.lt(this.#live(), other as binary.Other));
  }

  le<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E> | number,
  ): Tensor<Elementwise<S, B>, "bool"> {
    return wrap(binary.le(this.#live(), other as binary.Other));
  }

  gt<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E> | number,
  ): Tensor<Elementwise<S, B>, "bool"> {
    return wrap(binary.gt(this.#live(), other as binary.Other));
  }

  ge<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E> | number,
  ): Tensor<Elementwise<S, B>, "bool"> {
    return wrap(binary.ge(this.#live(), other as binary.Other));
  }

  neg(): Tensor<S, D> {
    return wrap(unary.neg(this.#live()));
  }

  abs(): Tensor<S, D> {
    return wrap(unary.abs(this.#live()));
  }

  square(): Tensor<S, D> {
    return wrap(unary.square(this.#live()));
  }

  sqrt<S extends Shape>(this: Tensor<S>): Tensor<S> {
    return wrap(unary.sqrt(this.#live()));
  }

  exp<S extends Shape>(this: Tensor<S>): Tensor<S> {
    return wrap(unary.exp(this.#live()));
  }

  /** Natural logarithm. */
  log<S extends Shape>(this: Tensor<S>): Tensor<S> {
    return wrap(unary.log(this.#live()));
  }

  tanh<S extends Shape>(this: Tensor<S>): Tensor<S> {
    return wrap(unary.tanh(this.#live()));
  }

  // ---- products ----------------------------------------------------------------------------------------------------

  /** `[..., M, K] × [..., K, N] → [..., M, N]`; leading axes broadcast, vectors are promoted as in `torch.matmul`. */
  matmul<S extends Shape, B extends Shape>(
    this: Tensor<S>,
    other: Tensor<B> & Check<MatMul<S, B>>,
  ): Tensor<Ok<MatMul<S, B>>> {
    return wrap(matmul(this.#live(), other as View));
  }

  /**
   * This matrix `[K, N]` laid out in the order its device reads a right operand of matmul: worth doing once for weights
   * that are used often. With an encoding of fewer bits its elements are rounded to what that holds, and take as much less
   * memory and time to read. Other operations still work on it, more slowly.
   */
  pack(encoding: MatrixEncoding = "f32"): Tensor<S, D> {
    const view: View = this.#live();
    expectDType("pack", "a matrix", view, "float32");
    if (view.shape.length !== 2) {
      throw new ShapeMismatchError("pack", `expected a float32 matrix, got ${this.dtype} ${showShape(this.shape)}`);
    }
    return wrap(pack(view as View<"float32">, encoding) as View<D>);
  }

  // ---- reductions (over all axes when none is given) ---------------------------------------------------------------

  sum<S extends Shape, A extends number | undefined = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: A & Check<Reduce<S, A, K>>,
    keepDim?: K,
  ): Tensor<Ok<Reduce<S, A, K>>, D> {
    return wrap(reduce.sum(this.#live(), axis, keepDim));
  }

  mean<S extends Shape, A extends number | undefined = undefined, K extends boolean = false>(
    this: Tensor<S>,
    axis?: A & Check<Reduce<S, A, K>>,
    keepDim?: K,
  ): Tensor<Ok<Reduce<S, A, K>>> {
    return wrap(reduce.mean(this.#live(), axis, keepDim));
  }

  prod<S extends Shape, A extends number | undefined = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: A & Check<Reduce<S, A, K>>,
    keepDim?: K,
  ): Tensor<Ok<Reduce<S, A, K>>, D> {
    return wrap(reduce.prod(this.#live(), axis, keepDim));
  }

  max<S extends Shape, A extends number | undefined = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: A & Check<Reduce<S, A, K>>,
    keepDim?: K,
  ): Tensor<Ok<Reduce<S, A, K>>, D> {
    return wrap(reduce.max(this.#live(), axis, keepDim));
  }

  min<S extends Shape, A extends number | undefined = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: A & Check<Reduce<S, A, K>>,
    keepDim?: K,
  ): Tensor<Ok<Reduce<S, A, K>>, D> {
    return wrap(reduce.min(this.#live(), axis, keepDim));
  }

  /** Index of the largest element; the first one of equals. */
  argMax<S extends Shape, A extends number | undefined = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: A & Check<Reduce<S, A, K>>,
    keepDim?: K,
  ): Tensor<Ok<Reduce<S, A, K>>, "int32"> {
    return wrap(reduce.argMax(this.#live(), axis, keepDim));
  }

  argMin<S extends Shape, A extends number | undefined = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: A & Check<Reduce<S, A, K>>,
    keepDim?: K,
  ): Tensor<Ok<Reduce<S, A, K>>, "int32"> {
    return wrap(reduce.argMin(this.#live(), axis, keepDim));
  }

  // ---- along one axis ----------------------------------------------------------------------------------------------

  softmax<S extends Shape, A extends number>(
    this: Tensor<S>,
    axis: A & Check<ReplaceAxis<"softmax", S, A, []>>,
  ): Tensor<S> {
    return wrap(softmax.softmax(this.#live(), axis));
  }

  logSoftmax<S extends Shape, A extends number>(
    this: Tensor<S>,
    axis: A & Check<ReplaceAxis<"logSoftmax", S, A, []>>,
  ): Tensor<S> {
    return wrap(softmax.logSoftmax(this.#live(), axis));
  }

  /** Elements of this tensor at `indices` along `axis`: `out[i][j] = this[i][indices[i][j]]` for the last axis. */
  gather<I extends Shape>(axis: number, indices: Tensor<I, "int32">): Tensor<I, D> {
    return wrap(indexing.gather(this.#live(), axis, indices));
  }

  // ---- views -------------------------------------------------------------------------------------------------------

  /** The same elements in another shape; one size may be -1. Copies only where strides leave no other way. */
  reshape<S extends Shape, const R extends Shape>(
    this: Tensor<S, D>,
    shape: R & Check<Reshape<S, R>>,
  ): Tensor<Ok<Reshape<S, R>>, D> {
    return wrap(rearrange.reshape(this.#live(), shape));
  }

  /** A view with two axes exchanged, the last two unless told otherwise. */
  transpose<S extends Shape, A extends number = -2, B extends number = -1>(
    this: Tensor<S, D>,
    a?: A & Check<Transpose<S, A, B>>,
    b?: B,
  ): Tensor<Ok<Transpose<S, A, B>>, D> {
    return wrap(rearrange.transpose(this.#live(), a ?? -2, b ?? -1));
  }

  /** A view with the axes in another order. */
  permute<S extends Shape, const A extends readonly number[]>(
    this: Tensor<S, D>,
    axes: A & Check<Permute<S, A>>,
  ): Tensor<Ok<Permute<S, A>>, D> {
    return wrap(rearrange.permute(this.#live(), axes));
  }

  /** A view of `start <= i < end` (every `step`-th) along an axis; negative numbers count from the end. */
  slice<S extends Shape, A extends number>(
    this: Tensor<S, D>,
    axis: A & Check<ReplaceAxis<"slice", S, A, [number]>>,
    start: number,
    end?: number,
    step?: number,
  ): Tensor<Ok<ReplaceAxis<"slice", S, A, [number]>>, D> {
    return wrap(rearrange.slice(this.#live(), axis, start, end, step));
  }

  /** A view of one index along an axis, which disappears. */
  select<S extends Shape, A extends number>(
    this: Tensor<S, D>,
    axis: A & Check<ReplaceAxis<"select", S, A, []>>,
    index: number,
  ): Tensor<Ok<ReplaceAxis<"select", S, A, []>>, D> {
    return wrap(rearrange.select(this.#live(), axis, index));
  }

  /** Views of consecutive pieces of the given sizes along an axis, which they must fill. */
  split<S extends Shape, const Sizes extends readonly number[], A extends number>(
    this: Tensor<S, D>,
    sizes: Sizes,
    axis: A & Check<ReplaceAxis<"split", S, A, []>>,
  ): { -readonly [K in keyof Sizes]: Tensor<Ok<ReplaceAxis<"split", S, A, [Sizes[K] & number]>>, D> } {
    return rearrange.split(this.#live(), sizes, axis).map((piece) => wrap(piece)) as {
      -readonly [K in keyof Sizes]: Tensor<Ok<ReplaceAxis<"split", S, A, [Sizes[K] & number]>>, D>;
    };
  }

  /** A view without an axis of size one. */
  squeeze<S extends Shape, A extends number>(
    this: Tensor<S, D>,
    axis: A & Check<ReplaceAxis<"squeeze", S, A, []>>,
  ): Tensor<Ok<ReplaceAxis<"squeeze", S, A, []>>, D> {
    return wrap(rearrange.squeeze(this.#live(), axis));
  }

  /** A view with a new axis of size one before `axis`. */
  unsqueeze<S extends Shape, A extends number>(this: Tensor<S, D>, axis: A): Tensor<Unsqueeze<S, A>, D> {
    return wrap(rearrange.unsqueeze(this.#live(), axis));
  }

  /** A view that repeats axes of size one (and new leading axes) up to `shape`. */
  expand<S extends Shape, const R extends Shape>(
    this: Tensor<S, D>,
    shape: R & Check<Broadcast<S, R>>,
  ): Tensor<Literal<R>, D> {
    return wrap(rearrange.expand(this.#live(), shape));
  }

  /** This tensor if it lies row-major without gaps, else a copy that does. */
  contiguous(): Tensor<S, D> {
    const view = this.#live();
    return isContiguous(view.shape, view.strides) ? this : wrap(rearrange.copy(view));
  }

  /**
   * Overwrites this tensor's elements with `source`'s, broadcast to its shape: the one operation that changes a value,
   * for buffers such as a KV cache. Every view of the same memory sees it. Throws {@link DTypeError} for a source of another
   * element type, {@link DeviceError} for a packed matrix ({@link Tensor.pack}), whose elements were encoded once.
   */
  copy_<S extends Shape, B extends Shape>(
    this: Tensor<S, D>,
    source: Tensor<B, D> & Check<Broadcast<S, B>>,
  ): Tensor<S, D> {
    expectTensor("copy_", "source", source);
    expectSameDType("copy_", this, source);
    const view: View = (source as Tensor<B, D>).#live();
    const { shape } = view;
    if (
      shape.length > this.rank ||
      !shape.every((size, i) => size === 1 || size === this.shape[this.rank - shape.length + i])
    ) {
      throw new ShapeMismatchError("copy_", `${showShape(shape)} does not broadcast to ${showShape(this.shape)}`);
    }
    // What is read must not be what is written: `x.copy_(x.transpose())`.
    if (view.storage !== this.storage) this.#overwrite(view);
    else usingIntermediate(rearrange.copy(view), (apart) => this.#overwrite(apart));
    return this;
  }

  /** Copies elements of another memory, broadcast to this shape. */
  #overwrite({ storage, dtype, shape, strides, offset }: View): void {
    const stretched = broadcastStrides(shape, strides, this.shape);
    const source = { storage, dtype, shape: this.shape, strides: stretched, offset };
    dispatchInto(rearrange.copyOp, [source], undefined, [this.#live()]);
  }

  // ---- inside ------------------------------------------------------------------------------------------------------

  #live(): this {
    if (this.#disposed) throw new DisposedError();
    return this;
  }

  #assertOneElement(): void {
    if (this.size !== 1) throw new ShapeMismatchError("item", `expected one element, got ${showShape(this.shape)}`);
  }
}

/** The tensor over a view that an op returned. */
export function wrap<S extends Shape, D extends DType>(view: View<DType>): Tensor<S, D> {
  return new Tensor<S, D>(view as View<D>);
}
