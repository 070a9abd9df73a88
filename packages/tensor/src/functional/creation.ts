import { discard, wholeView } from "../backends/dispatch.ts";
import { type DataOf, type DType, expectHeld, newData } from "../dtype.ts";
import { ShapeMismatchError } from "../errors.ts";
import { flatten } from "../host-data.ts";
import { expectTensor } from "../ops/checks.ts";
import { showValue } from "../options.ts";
import { showShape, sizeOf } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { typedArrayName } from "../typed-array.ts";
import type { NestedArray, NestedShape } from "../types/reshape.ts";
import type { Literal, Ok, Shape } from "../types/shape-types.ts";
import { type CreateOptions, checkShape, copyInto, expectNumber, fill, forEachIndex, resolve } from "./fill.ts";

export type { CreateOptions };

// All of them throw TypeError for arguments that are of no use, OptionError for options that do not exist, DTypeError for a number
// that the element type cannot hold, ShapeMismatchError for sizes that are none, and DeviceError where there is no room.

/**
 * A tensor from nested arrays (`tensor([[1, 2], [3, 4]])`), a number, or a typed array (one axis). For row-major data and a
 * shape see {@link fromData}. Throws {@link ShapeMismatchError} for ragged nesting.
 */
export function tensor<
  D extends DType = "float32",
  const V extends NestedArray | Float32Array | Int32Array | Uint8Array = NestedArray,
>(values: V, options: CreateOptions<D> = {}): Tensor<Ok<NestedShape<V>>, NoInfer<D>> {
  const typed = typedArrayName(values) !== undefined;
  const { values: flat, shape } = typed
    ? { values: values as ArrayLike<number>, shape: [(values as ArrayLike<number>).length] }
    : flatten(values as NestedArray);
  const data = typed ? (flat as ArrayLike<number>) : (flat as (number | boolean)[]).map(Number);
  const result = fill("tensor", shape, (target) => copyInto(target, data, "tensor", options.dtype), options);
  return result as unknown as Tensor<Ok<NestedShape<V>>, NoInfer<D>>;
}

/** A tensor of the given shape over a copy of row-major data. Throws {@link ShapeMismatchError} if the sizes differ. */
export function fromData<const S extends Shape, D extends DType = "float32">(
  data: DataOf[D] | readonly number[],
  shape: S,
  options: CreateOptions<D> = {},
): Tensor<Literal<S>, NoInfer<D>> {
  if (!Array.isArray(data) && typedArrayName(data) === undefined) {
    throw new TypeError(`fromData: expected an array of numbers, got ${showValue(data)}`);
  }
  checkShape("fromData", shape);
  if (data.length !== sizeOf(shape)) {
    throw new ShapeMismatchError(
      "fromData",
      `${data.length} elements do not fill ${showShape(shape)}, which takes ${sizeOf(shape)}`,
    );
  }
  return fill("fromData", shape, (target) => copyInto(target, data, "fromData", options.dtype), options);
}

/**
 * A tensor with arbitrary elements: write them before reading. Its memory is not touched, so most systems do not count it before
 * it is used.
 */
export function empty<const S extends Shape, D extends DType = "float32">(
  shape: S,
  options: CreateOptions<D> = {},
): Tensor<Literal<S>, NoInfer<D>> {
  const { backend, dtype, length } = resolve("empty", shape, options);
  return new Tensor<Literal<S>, D>(wholeView(backend.allocate(dtype, length), [...shape]));
}

export function zeros<const S extends Shape, D extends DType = "float32">(
  shape: S,
  options: CreateOptions<D> = {},
): Tensor<Literal<S>, NoInfer<D>> {
  return fill("zeros", shape, () => {}, options);
}

export function ones<const S extends Shape, D extends DType = "float32">(
  shape: S,
  options: CreateOptions<D> = {},
): Tensor<Literal<S>, NoInfer<D>> {
  return fill("ones", shape, (data) => data.fill(1), options);
}

export function full<const S extends Shape, D extends DType = "float32">(
  shape: S,
  value: number,
  options: CreateOptions<D> = {},
): Tensor<Literal<S>, NoInfer<D>> {
  return fill("full", shape, (data) => data.fill(expectNumber("full", "a value", value, options.dtype)), options);
}

/** `start`, `start + step`, … up to and without `end`; one argument is the end. */
export function arange<D extends DType = "float32">(
  start: number,
  end?: number,
  step = 1,
  options: CreateOptions<D> = {},
): Tensor<[number], NoInfer<D>> {
  const [from, to] = end === undefined ? [0, start] : [start, end];
  if (!(Number.isFinite(from) && Number.isFinite(to) && Number.isFinite(step)) || step === 0) {
    const got = [from, to, step].map(showValue).join(", ");
    throw new RangeError(`arange: expected finite bounds and a step other than 0 (options come fourth), got ${got}`);
  }
  const length = Math.max(0, Math.ceil((to - from) / step));
  const { dtype } = options;
  return fill(
    "arange",
    [length],
    (data) => forEachIndex(data, (i) => expectNumber("arange", "a number", from + i * step, dtype)),
    options,
  );
}

/** `count` evenly spaced numbers from `start` to `end`, both included. */
export function linspace(start: number, end: number, count: number, options: CreateOptions = {}): Tensor<[number]> {
  for (const bound of [start, end]) expectNumber("linspace", "a number", bound, undefined);
  if (!Number.isInteger(count) || count < 0) {
    throw new ShapeMismatchError("linspace", `expected a count of numbers, an integer from 0, got ${showValue(count)}`);
  }
  const step = count > 1 ? (end - start) / (count - 1) : 0;
  return fill(
    "linspace",
    [count],
    (data) => forEachIndex(data, (i) => (i === count - 1 && i > 0 ? end : start + i * step)),
    options,
  );
}

/** The identity matrix of `n` rows. */
export function eye<const N extends number>(n: N, options?: CreateOptions): Tensor<[N, N]> {
  return fill(
    "eye",
    [n, n] as [N, N],
    (data) => {
      for (let i = 0; i < n; i++) data[i * n + i] = 1;
    },
    options ?? {},
  );
}

/** Zeros of the shape and element type of `x`, on its device. */
export function zerosLike<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return fullLike(x, 0);
}

export function onesLike<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return fullLike(x, 1);
}

/** A tensor of the shape and element type of `x`, on its device, full of a number that the type holds. */
export function fullLike<S extends Shape, D extends DType>(x: Tensor<S, D>, value: number): Tensor<S, D> {
  expectTensor("fullLike", "x", x);
  return full(x.shape, value, { dtype: x.dtype, device: x.device }) as unknown as Tensor<S, D>;
}

/**
 * A tensor whose elements `write` fills in, row-major, and in place where the CPU can reach the device's memory: weights are
 * loaded without a second copy. The elements start out arbitrary.
 */
export async function fillAsync<const S extends Shape, D extends DType = "float32">(
  shape: S,
  write: (data: DataOf[D]) => Promise<void>,
  options: CreateOptions<D> = {},
): Promise<Tensor<Literal<S>, NoInfer<D>>> {
  if (typeof write !== "function") {
    throw new TypeError(`fillAsync: expected a function that writes the elements, got ${showValue(write)}`);
  }
  const { backend, dtype, length } = resolve("fillAsync", shape, options);
  const storage = backend.allocate(dtype, length);
  const data = backend.writable(storage);
  if (data) {
    const result = new Tensor<Literal<S>, D>(wholeView(storage, [...shape]));
    try {
      await write(data);
      checkBools(dtype, data);
    } catch (error) {
      result.dispose();
      throw error;
    }
    return result;
  }
  discard(storage); // the device only takes uploads
  const staged = newData(dtype, length);
  await write(staged);
  checkBools(dtype, staged);
  return new Tensor<Literal<S>, D>(wholeView(backend.upload(dtype, staged), [...shape]));
}

/** A bool is 0 or 1 from the moment it exists. */
function checkBools(dtype: DType, data: ArrayLike<number>): void {
  if (dtype === "bool") for (let i = 0; i < data.length; i++) expectHeld("fillAsync", dtype, data[i]!);
}
