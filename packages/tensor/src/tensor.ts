import "./symbol-dispose.ts";
import type { Backend, View } from "./backends/backend.ts";
import { dispatchInto, wholeView } from "./backends/dispatch.ts";
import { type DeviceChoice, device } from "./device.ts";
import type { DType } from "./dtype.ts";
import type { MatrixEncoding } from "./encodings/index.ts";
import { ShapeMismatchError } from "./errors.ts";
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
import { checkChoice } from "./options.ts";
import type { Arithmetic, CheckDTypes, NumberFor, Promote, Summed } from "./promotion.ts";
import { broadcastStrides, isContiguous, showShape } from "./shape.ts";
import type { At, Axes, Permute, Reduce, ReplaceAxis, Reversed, Transpose, Unsqueeze } from "./types/axes.ts";
import type { Expand, Flatten, Reshape } from "./types/reshape.ts";
import type { Broadcast, Check, CheckBroadcast, Elementwise, MatMul, Ok, Shape } from "./types/shape-types.ts";
import { ViewHandle } from "./view-handle.ts";

/** A tensor of any shape and element type. */
export type AnyTensor = Tensor<Shape, DType>;

/** A tensor beside one of shape S, which broadcasts against it; `Also` refuses element types. */
export type Operand<S extends Shape, B extends Shape, E extends DType, Also = unknown> = Tensor<B, E> &
  CheckBroadcast<S, B> &
  Also;

/**
 * An n-dimensional array of shape `S` and element type `D` on some device.
 *
 * Values never change (but for {@link Tensor.copy_}); views — transpose, slice, reshape, expand — share memory. Binary
 * operations broadcast as in NumPy. Names are PyTorch's, camel-cased. All methods throw {@link ShapeMismatchError} for
 * shapes or axes that do not fit (most of which do not compile when the shapes are literals), {@link DeviceError} for
 * operands on different devices, and {@link DisposedError} after the tensor was disposed.
 */
export class Tensor<S extends Shape = Shape, D extends DType = "float32"> extends ViewHandle<S, D> {
  // Declared here too so that the compiler compares them first, and says in one line why a tensor is not another.
  declare readonly dtype: D;
  declare readonly shape: S;

  /** Number of axes; NumPy's and PyTorch's name for `rank`. */
  get ndim(): number {
    return this.rank;
  }

  /** The view with its axes in reverse order: of a matrix, its transpose. */
  get T(): Tensor<Reversed<S>, D> {
    return wrap(
      rearrange.permute(
        this.live(),
        this.shape.map((_, axis) => this.rank - 1 - axis),
      ),
    );
  }

  /** Views of the elements of the first axis, one after the other: `for (const row of matrix)`. */
  *[Symbol.iterator](): IterableIterator<Tensor<Ok<At<S, [number]>>, D>> {
    if (this.rank === 0) throw new ShapeMismatchError("iteration", "a scalar has no axis to go along");
    for (let i = 0; i < this.shape[0]!; i++) yield wrap(rearrange.select(this.live(), 0, i));
  }

  /** The same values on another device (itself, when it is there already). */
  to(target: DeviceChoice | Backend): Tensor<S, D> {
    const backend = typeof target === "string" ? device(target) : target;
    if (backend === this.device) return this;
    return wrap(wholeView(backend.upload(this.dtype, this.dataSync()), this.shape));
  }

  /** The same values as another element type: numbers are cut towards zero, anything but zero is true. */
  cast<E extends DType>(dtype: E): Tensor<S, E> {
    return wrap(unary.cast(this.live(), dtype) as View<E>);
  }

  // ---- arithmetic, elementwise with broadcasting -------------------------------------------------------------------
  // Operands of different element types meet in one of them, as docs/dtypes.md lists. A number beside a tensor must be one
  // that the tensor's type holds (float32 rounds it), else {@link DTypeError}; comparisons take any number.

  add<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E, CheckDTypes<Arithmetic<D, E>, D, E>> | NumberFor<D>,
  ): Tensor<Elementwise<S, B>, Arithmetic<D, E>> {
    return wrap(binary.add(this.live(), other as binary.Other));
  }

  sub<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E, CheckDTypes<Arithmetic<D, E>, D, E>> | NumberFor<D>,
  ): Tensor<Elementwise<S, B>, Arithmetic<D, E>> {
    return wrap(binary.sub(this.live(), other as binary.Other));
  }

  mul<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E, CheckDTypes<Arithmetic<D, E>, D, E>> | NumberFor<D>,
  ): Tensor<Elementwise<S, B>, Arithmetic<D, E>> {
    return wrap(binary.mul(this.live(), other as binary.Other));
  }

  /** float32, whatever the operands are; {@link truncDiv} divides integers. */
  div<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E> | number,
  ): Tensor<Elementwise<S, B>> {
    return wrap(binary.div(this.live(), other as binary.Other));
  }

  pow<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E, CheckDTypes<Arithmetic<D, E>, D, E>> | NumberFor<D>,
  ): Tensor<Elementwise<S, B>, Arithmetic<D, E>> {
    return wrap(binary.pow(this.live(), other as binary.Other));
  }

  maximum<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E> | number,
  ): Tensor<Elementwise<S, B>, Promote<D, E>> {
    return wrap(binary.maximum(this.live(), other as binary.Other));
  }

  minimum<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E> | number,
  ): Tensor<Elementwise<S, B>, Promote<D, E>> {
    return wrap(binary.minimum(this.live(), other as binary.Other));
  }

  eq<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E> | number,
  ): Tensor<Elementwise<S, B>, "bool"> {
    return wrap(binary.eq(this.live(), other as binary.Other));
  }

  ne<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E> | number,
  ): Tensor<Elementwise<S, B>, "bool"> {
    return wrap(binary.ne(this.live(), other as binary.Other));
  }

  lt<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E> | number,
  ): Tensor<Elementwise<S, B>, "bool"> {
    return wrap(binary.lt(this.live(), other as binary.Other));
  }

  le<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E> | number,
  ): Tensor<Elementwise<S, B>, "bool"> {
    return wrap(binary.le(this.live(), other as binary.Other));
  }

  gt<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E> | number,
  ): Tensor<Elementwise<S, B>, "bool"> {
    return wrap(binary.gt(this.live(), other as binary.Other));
  }

  ge<S extends Shape, B extends Shape = [], E extends DType = D>(
    this: Tensor<S, D>,
    other: Operand<S, B, E> | number,
  ): Tensor<Elementwise<S, B>, "bool"> {
    return wrap(binary.ge(this.live(), other as binary.Other));
  }

  neg(): Tensor<S, D> {
    return wrap(unary.neg(this.live()));
  }

  abs(): Tensor<S, D> {
    return wrap(unary.abs(this.live()));
  }

  square(): Tensor<S, D> {
    return wrap(unary.square(this.live()));
  }

  sqrt<S extends Shape>(this: Tensor<S>): Tensor<S> {
    return wrap(unary.sqrt(this.live()));
  }

  exp<S extends Shape>(this: Tensor<S>): Tensor<S> {
    return wrap(unary.exp(this.live()));
  }

  /** Natural logarithm. */
  log<S extends Shape>(this: Tensor<S>): Tensor<S> {
    return wrap(unary.log(this.live()));
  }

  tanh<S extends Shape>(this: Tensor<S>): Tensor<S> {
    return wrap(unary.tanh(this.live()));
  }

  // ---- activations -------------------------------------------------------------------------------------------------

  /** max(x, 0). */
  relu<S extends Shape>(this: Tensor<S>): Tensor<S> {
    return wrap(unary.relu(this.live()));
  }

  /** 1 / (1 + e^-x). */
  sigmoid<S extends Shape>(this: Tensor<S>): Tensor<S> {
    return wrap(unary.sigmoid(this.live()));
  }

  /** x · sigmoid(x), also called swish (Hendrycks, Gimpel, 2016). */
  silu<S extends Shape>(this: Tensor<S>): Tensor<S> {
    return wrap(unary.silu(this.live()));
  }

  /** x · sigmoid(1.702 x), an approximation of {@link Tensor.gelu}. */
  quickGelu<S extends Shape>(this: Tensor<S>): Tensor<S> {
    return wrap(unary.quickGelu(this.live()));
  }

  /**
   * The Gaussian error linear unit (Hendrycks, Gimpel, 2016). `"tanh"`, GPT-2's, is
   * `0.5 x (1 + tanh(sqrt(2/π) (x + 0.044715 x³)))`; `"none"` is the exact `0.5 x (1 + erf(x / sqrt 2))`.
   */
  gelu<S extends Shape>(this: Tensor<S>, approximate: "tanh" | "none" = "tanh"): Tensor<S> {
    checkChoice("approximate", approximate, ["tanh", "none"]);
    return wrap(approximate === "tanh" ? unary.gelu(this.live()) : unary.geluExact(this.live()));
  }

  // ---- products ----------------------------------------------------------------------------------------------------

  /** `[..., M, K] × [..., K, N] → [..., M, N]`; leading axes broadcast, vectors are promoted as in `torch.matmul`. */
  matmul<S extends Shape, B extends Shape>(
    this: Tensor<S>,
    other: Tensor<B> & Check<MatMul<S, B>>,
  ): Tensor<Ok<MatMul<S, B>>> {
    return wrap(matmul(this.live(), other as View));
  }

  /**
   * This matrix `[K, N]` laid out in the order its device reads a right operand of matmul: worth doing once for weights
   * that are used often. With an encoding of fewer bits its elements are rounded to what that holds, and take as much less
   * memory and time to read. Other operations still work on it, more slowly.
   */
  pack(encoding: MatrixEncoding = "f32"): Tensor<S, D> {
    const view: View = this.live();
    expectDType("pack", "a matrix", view, "float32");
    if (view.shape.length !== 2) {
      throw new ShapeMismatchError("pack", `expected a float32 matrix, got ${this.dtype} ${showShape(this.shape)}`);
    }
    return wrap(pack(view as View<"float32">, encoding) as View<D>);
  }

  // ---- reductions (over all axes when none is given) ---------------------------------------------------------------

  sum<S extends Shape, const A extends Axes = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: A & Check<Reduce<S, A, K>>,
    keepDim?: K,
  ): Tensor<Ok<Reduce<S, A, K>>, Summed<D>> {
    return wrap(reduce.sum(this.live(), axis, keepDim));
  }

  mean<S extends Shape, const A extends Axes = undefined, K extends boolean = false>(
    this: Tensor<S>,
    axis?: A & Check<Reduce<S, A, K>>,
    keepDim?: K,
  ): Tensor<Ok<Reduce<S, A, K>>> {
    return wrap(reduce.mean(this.live(), axis, keepDim));
  }

  prod<S extends Shape, const A extends Axes = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: A & Check<Reduce<S, A, K>>,
    keepDim?: K,
  ): Tensor<Ok<Reduce<S, A, K>>, Summed<D>> {
    return wrap(reduce.prod(this.live(), axis, keepDim));
  }

  max<S extends Shape, const A extends Axes = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: A & Check<Reduce<S, A, K>>,
    keepDim?: K,
  ): Tensor<Ok<Reduce<S, A, K>>, D> {
    return wrap(reduce.max(this.live(), axis, keepDim));
  }

  min<S extends Shape, const A extends Axes = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: A & Check<Reduce<S, A, K>>,
    keepDim?: K,
  ): Tensor<Ok<Reduce<S, A, K>>, D> {
    return wrap(reduce.min(this.live(), axis, keepDim));
  }

  /** Index of the largest element; the first one of equals. */
  argMax<S extends Shape, const A extends Axes = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: A & Check<Reduce<S, A, K>>,
    keepDim?: K,
  ): Tensor<Ok<Reduce<S, A, K>>, "int32"> {
    return wrap(reduce.argMax(this.live(), axis, keepDim));
  }

  argMin<S extends Shape, const A extends Axes = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: A & Check<Reduce<S, A, K>>,
    keepDim?: K,
  ): Tensor<Ok<Reduce<S, A, K>>, "int32"> {
    return wrap(reduce.argMin(this.live(), axis, keepDim));
  }

  // ---- along one axis ----------------------------------------------------------------------------------------------

  softmax<S extends Shape, A extends number>(
    this: Tensor<S>,
    axis: A & Check<ReplaceAxis<"softmax", S, A, []>>,
  ): Tensor<S> {
    return wrap(softmax.softmax(this.live(), axis));
  }

  logSoftmax<S extends Shape, A extends number>(
    this: Tensor<S>,
    axis: A & Check<ReplaceAxis<"logSoftmax", S, A, []>>,
  ): Tensor<S> {
    return wrap(softmax.logSoftmax(this.live(), axis));
  }

  /** Elements of this tensor at `indices` along `axis`: `out[i][j] = this[i][indices[i][j]]` for the last axis. */
  gather<I extends Shape>(axis: number, indices: Tensor<I, "int32">): Tensor<I, D> {
    return wrap(indexing.gather(this.live(), axis, indices));
  }

  // ---- views -------------------------------------------------------------------------------------------------------

  /** The same elements in another shape; one size may be -1. Copies only where strides leave no other way. */
  reshape<S extends Shape, const R extends Shape>(
    this: Tensor<S, D>,
    shape: R & Check<Reshape<S, R>>,
  ): Tensor<Ok<Reshape<S, R>>, D> {
    return wrap(rearrange.reshape(this.live(), shape));
  }

  /** The same elements with the axes from `first` to `last` (all, unless told otherwise) made one; as {@link Tensor.reshape}. */
  flatten<S extends Shape, A extends number = 0, B extends number = -1>(
    this: Tensor<S, D>,
    first?: A & Check<Flatten<S, A, B>>,
    last?: B,
  ): Tensor<Ok<Flatten<S, A, B>>, D> {
    return wrap(rearrange.flatten(this.live(), first ?? 0, last ?? -1));
  }

  /** A view with two axes exchanged, the last two unless told otherwise. */
  transpose<S extends Shape, A extends number = -2, B extends number = -1>(
    this: Tensor<S, D>,
    a?: A & Check<Transpose<S, A, B>>,
    b?: B,
  ): Tensor<Ok<Transpose<S, A, B>>, D> {
    return wrap(rearrange.transpose(this.live(), a ?? -2, b ?? -1));
  }

  /** A view with the axes in another order. */
  permute<S extends Shape, const A extends readonly number[]>(
    this: Tensor<S, D>,
    axes: A & Check<Permute<S, A>>,
  ): Tensor<Ok<Permute<S, A>>, D> {
    return wrap(rearrange.permute(this.live(), axes));
  }

  /** A view of `start <= i < end` (every `step`-th) along an axis; negative numbers count from the end. */
  slice<S extends Shape, A extends number>(
    this: Tensor<S, D>,
    axis: A & Check<ReplaceAxis<"slice", S, A, [number]>>,
    start: number,
    end?: number,
    step?: number,
  ): Tensor<Ok<ReplaceAxis<"slice", S, A, [number]>>, D> {
    return wrap(rearrange.slice(this.live(), axis, start, end, step));
  }

  /** A view of one index along an axis, which disappears. */
  select<S extends Shape, A extends number>(
    this: Tensor<S, D>,
    axis: A & Check<ReplaceAxis<"select", S, A, []>>,
    index: number,
  ): Tensor<Ok<ReplaceAxis<"select", S, A, []>>, D> {
    return wrap(rearrange.select(this.live(), axis, index));
  }

  /** A view of one index along each of the first axes: `x.at(2)` is NumPy's `x[2]`, `x.at(0, -1)` its `x[0, -1]`. */
  at<S extends Shape, const I extends readonly number[]>(
    this: Tensor<S, D>,
    ...indices: I & Check<At<S, I>>
  ): Tensor<Ok<At<S, I>>, D> {
    return wrap(indices.reduce<View>((view, index) => rearrange.select(view, 0, index), this.live()));
  }

  /** Views of consecutive pieces of the given sizes along an axis, which they must fill. */
  split<S extends Shape, const Sizes extends readonly number[], A extends number>(
    this: Tensor<S, D>,
    sizes: Sizes,
    axis: A & Check<ReplaceAxis<"split", S, A, []>>,
  ): { -readonly [K in keyof Sizes]: Tensor<Ok<ReplaceAxis<"split", S, A, [Sizes[K] & number]>>, D> } {
    return rearrange.split(this.live(), sizes, axis).map((piece) => wrap(piece)) as {
      -readonly [K in keyof Sizes]: Tensor<Ok<ReplaceAxis<"split", S, A, [Sizes[K] & number]>>, D>;
    };
  }

  /** A view without an axis of size one. */
  squeeze<S extends Shape, A extends number>(
    this: Tensor<S, D>,
    axis: A & Check<ReplaceAxis<"squeeze", S, A, []>>,
  ): Tensor<Ok<ReplaceAxis<"squeeze", S, A, []>>, D> {
    return wrap(rearrange.squeeze(this.live(), axis));
  }

  /** A view with a new axis of size one before `axis`. */
  unsqueeze<S extends Shape, A extends number>(this: Tensor<S, D>, axis: A): Tensor<Unsqueeze<S, A>, D> {
    return wrap(rearrange.unsqueeze(this.live(), axis));
  }

  /** A view that repeats axes of size one (and new leading axes) up to `shape`, in which -1 keeps an axis's size. */
  expand<S extends Shape, const R extends Shape>(
    this: Tensor<S, D>,
    shape: R & Check<Broadcast<S, Expand<S, R>>>,
  ): Tensor<Expand<S, R>, D> {
    return wrap(rearrange.expand(this.live(), shape));
  }

  /** This tensor if it lies row-major without gaps, else a copy that does. */
  contiguous(): Tensor<S, D> {
    const view = this.live();
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
    const view: View = (source as Tensor<B, D>).live();
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
    dispatchInto(rearrange.copyOp, [source], undefined, [this.live()]);
  }
}

/** The tensor over a view that an op returned. */
export function wrap<S extends Shape, D extends DType>(view: View<DType>): Tensor<S, D> {
  return new Tensor<S, D>(view as View<D>);
}
