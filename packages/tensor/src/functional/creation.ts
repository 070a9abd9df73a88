import type { Backend } from "../backends/backend.ts";
import { discard, wholeView } from "../backends/dispatch.ts";
import { backendOf, type DeviceChoice } from "../device.ts";
import { byteSize, type DataOf, type DType, dtypes, expectHeld, newData } from "../dtype.ts";
import { DeviceError, ShapeMismatchError } from "../errors.ts";
import { flatten, type NestedArray } from "../host-data.ts";
import { checkOptionNames, OptionError, showValue } from "../options.ts";
import { Generator } from "../random.ts";
import { showShape, sizeOf } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { typedArrayName } from "../typed-array.ts";
import type { Literal, Shape } from "../types/shape-types.ts";

/** How a tensor is created: its element type and device. */
export interface CreateOptions<D extends DType = "float32"> {
  /** Default: `float32`. */
  readonly dtype?: D | undefined;
  /** Default: the default device (see `setDefaultDevice`). */
  readonly device?: DeviceChoice | Backend | undefined;
}

/** Where random numbers come from: a seed, or a {@link Generator}, which continues where it is. */
export interface RandomOptions {
  readonly seed: number | Generator;
  readonly device?: DeviceChoice | Backend | undefined;
}

// All of them throw TypeError for arguments that are of no use, OptionError for options that do not exist, DTypeError for a number
// that the element type cannot hold, ShapeMismatchError for sizes that are none, and DeviceError where there is no room.

/**
 * A tensor from nested arrays (`tensor([[1, 2], [3, 4]])`), a number, or a typed array (one axis). For row-major data and a
 * shape see {@link fromData}. Throws {@link ShapeMismatchError} for ragged nesting.
 */
export function tensor<D extends DType = "float32">(
  values: NestedArray | Float32Array | Int32Array | Uint8Array,
  options: CreateOptions<D> = {},
): Tensor<Shape, NoInfer<D>> {
  if (typedArrayName(values) !== undefined) {
    const data = values as ArrayLike<number>;
    return fill("tensor", [data.length], (target) => copyInto(target, data, "tensor", options.dtype), options);
  }
  const { values: flat, shape } = flatten(values as NestedArray);
  return fill("tensor", shape, (target) => copyInto(target, flat.map(Number), "tensor", options.dtype), options);
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

/** Uniform numbers in [0, 1). */
export function rand<const S extends Shape>(shape: S, options: RandomOptions): Tensor<Literal<S>> {
  const generator = generatorOf("rand", options);
  return fill("rand", shape, (data) => forEachIndex(data, () => generator.uint32() >>> 8, 2 ** -24), {
    device: options.device,
  });
}

/** Standard normal numbers. */
export function randn<const S extends Shape>(shape: S, options: RandomOptions): Tensor<Literal<S>> {
  const generator = generatorOf("randn", options);
  return fill(
    "randn",
    shape,
    (data) => {
      for (let i = 0; i < data.length; i += 2) {
        const [first, second] = generator.normalPair();
        data[i] = first;
        if (i + 1 < data.length) data[i + 1] = second;
      }
    },
    { device: options.device },
  );
}

/** Integers in `low`..`high - 1`. */
export function randInt<const S extends Shape>(
  low: number,
  high: number,
  shape: S,
  options: RandomOptions,
): Tensor<Literal<S>, "int32"> {
  const generator = generatorOf("randInt", options);
  for (const bound of [low, high - 1]) expectNumber("randInt", "a number", bound, "int32");
  return fill("randInt", shape, (data) => forEachIndex(data, () => generator.integer(low, high)), {
    device: options.device,
    dtype: "int32",
  });
}

function generatorOf(op: string, options: RandomOptions): Generator {
  checkOptionNames(options, ["seed", "device"], op);
  const seed = options?.seed;
  if (typeof seed === "number") return new Generator(seed);
  if (typeof seed?.uint32 === "function") return seed;
  throw new TypeError(
    `${op}: expected options with a seed, such as { seed: 1 } or a Generator, got ${showValue(seed)}`,
  );
}

function forEachIndex(data: Float32Array | Int32Array | Uint8Array, value: (index: number) => number, scale = 1): void {
  for (let i = 0; i < data.length; i++) data[i] = value(i) * scale;
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

/** Creates a tensor and has `write` fill in its elements, which start as zeros. */
function fill<S extends Shape, D extends DType = "float32">(
  op: string,
  shape: S,
  write: (data: DataOf[D]) => void,
  options: CreateOptions<D>,
): Tensor<Literal<S>, NoInfer<D>> {
  const { backend, dtype, length } = resolve(op, shape, options);
  let data: DataOf[D];
  try {
    data = newData(dtype, length);
  } catch (cause) {
    const bytes = length * byteSize(dtype);
    const message = `${op}: ${showShape(shape)} of ${dtype} takes ${bytes} bytes, more than one array of this engine holds`;
    throw new DeviceError(backend.name, message, { cause });
  }
  write(data);
  return new Tensor<Literal<S>, D>(wholeView(backend.upload(dtype, data), [...shape]));
}

/** Copies numbers, each of which the element type must hold. Booleans count as 0 and 1. */
function copyInto(target: DataOf[DType], source: ArrayLike<number>, op: string, dtype: DType = "float32"): void {
  // A typed array of the element type holds nothing else.
  const name = typedArrayName(source);
  const same = dtype !== "bool" && name === typedArrayName(target);
  if (!same) for (let i = 0; i < source.length; i++) expectNumber(op, "elements", source[i], dtype);
  target.set(source);
}

/** A number (or boolean) that the element type holds; `what` is what it is to be. */
function expectNumber(op: string, what: string, value: unknown, dtype: DType = "float32"): number {
  if (typeof value !== "number" && typeof value !== "boolean") {
    throw new TypeError(
      `${op}: expected ${what === "elements" ? "numbers" : `${what} that is a number`}, got ${showValue(value)}`,
    );
  }
  expectHeld(op, dtype, Number(value));
  return Number(value);
}

function checkShape(op: string, shape: readonly number[]): void {
  if (!Array.isArray(shape)) {
    throw new TypeError(`${op}: expected the shape as an array, such as [2, 3], got ${showValue(shape)}`);
  }
  if (shape.every((size) => Number.isInteger(size) && size >= 0)) return;
  throw new ShapeMismatchError(op, `sizes must be integers from 0, got ${showValue(shape)}`);
}

function resolve<D extends DType>(op: string, shape: Shape, options: CreateOptions<D>) {
  checkOptionNames(options, ["dtype", "device"], op);
  const { dtype = "float32" as D, device } = options;
  if (!dtypes.includes(dtype)) {
    throw new OptionError("dtype", `there is no ${showValue(dtype)}; there are ${dtypes.join(", ")}`);
  }
  checkShape(op, shape);
  return { backend: backendOf(device), dtype, length: sizeOf(shape) };
}
