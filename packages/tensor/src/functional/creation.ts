import type { Backend } from "../backends/backend.ts";
import { discard, wholeView } from "../backends/dispatch.ts";
import { type DeviceChoice, defaultDevice, device as deviceByName } from "../device.ts";
import { type DataOf, type DType, newData } from "../dtype.ts";
import { ShapeMismatchError } from "../errors.ts";
import { flatten, type NestedArray } from "../host-data.ts";
import { Generator } from "../random.ts";
import { showShape, sizeOf } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import type { Literal, Shape } from "../types/shape-types.ts";

/** Where and as what a tensor is created. */
export interface CreateOptions<D extends DType = "float32"> {
  /** `float32` unless told otherwise. */
  readonly dtype?: D | undefined;
  /** The default device unless told otherwise (see `setDefaultDevice`). */
  readonly device?: DeviceChoice | Backend | undefined;
}

/** Where random numbers come from: a seed, or a {@link Generator} to draw on from where it stands. */
export interface RandomOptions {
  readonly seed: number | Generator;
  readonly device?: DeviceChoice | Backend | undefined;
}

/**
 * A tensor from nested arrays (`tensor([[1, 2], [3, 4]])`), a number, or a typed array (one axis).
 * Throws {@link ShapeMismatchError} for ragged nesting.
 */
export function tensor<D extends DType = "float32">(
  values: NestedArray | Float32Array | Int32Array | Uint8Array,
  options: CreateOptions<D> = {},
): Tensor<Shape, NoInfer<D>> {
  if (ArrayBuffer.isView(values)) return fill([values.length], (data) => data.set(values), options);
  const { values: flat, shape } = flatten(values);
  return fill(shape, (data) => data.set(flat.map(Number)), options);
}

/** A tensor of the given shape over a copy of row-major data. Throws {@link ShapeMismatchError} if the sizes differ. */
export function fromData<const S extends Shape, D extends DType = "float32">(
  data: DataOf[D] | readonly number[],
  shape: S,
  options: CreateOptions<D> = {},
): Tensor<Literal<S>, NoInfer<D>> {
  if (data.length !== sizeOf(shape)) {
    throw new ShapeMismatchError(
      "fromData",
      `${data.length} elements do not fill ${showShape(shape)}, which takes ${sizeOf(shape)}`,
    );
  }
  return fill(shape, (target) => target.set(data), options);
}

/**
 * A tensor whose elements are whatever was there: to be written before they are read. Nothing is written to its memory, so
 * that a system which gives memory when it is first touched gives none yet.
 */
export function empty<const S extends Shape, D extends DType = "float32">(
  shape: S,
  options: CreateOptions<D> = {},
): Tensor<Literal<S>, NoInfer<D>> {
  const { backend, dtype, length } = resolve(shape, options);
  return new Tensor<Literal<S>, D>(wholeView(backend.allocate(dtype, length), [...shape]));
}

export function zeros<const S extends Shape, D extends DType = "float32">(
  shape: S,
  options: CreateOptions<D> = {},
): Tensor<Literal<S>, NoInfer<D>> {
  return fill(shape, () => {}, options);
}

export function ones<const S extends Shape, D extends DType = "float32">(
  shape: S,
  options: CreateOptions<D> = {},
): Tensor<Literal<S>, NoInfer<D>> {
  return full(shape, 1, options);
}

export function full<const S extends Shape, D extends DType = "float32">(
  shape: S,
  value: number,
  options: CreateOptions<D> = {},
): Tensor<Literal<S>, NoInfer<D>> {
  return fill(shape, (data) => data.fill(value), options);
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
    throw new RangeError(`arange: expected finite bounds and a step other than 0, got ${from}, ${to}, ${step}`);
  }
  const length = Math.max(0, Math.ceil((to - from) / step));
  return fill([length], (data) => forEachIndex(data, (i) => from + i * step), options);
}

/** `count` evenly spaced numbers from `start` to `end`, both included. */
export function linspace(start: number, end: number, count: number, options: CreateOptions = {}): Tensor<[number]> {
  const step = count > 1 ? (end - start) / (count - 1) : 0;
  return fill(
    [count],
    (data) => forEachIndex(data, (i) => (i === count - 1 && i > 0 ? end : start + i * step)),
    options,
  );
}

/** The identity matrix of `n` rows, or `n` rows and `columns`. */
export function eye<const N extends number>(n: N, options?: CreateOptions): Tensor<[N, N]> {
  return fill(
    [n, n] as [N, N],
    (data) => {
      for (let i = 0; i < n; i++) data[i * n + i] = 1;
    },
    options ?? {},
  );
}

/** Uniform numbers in [0, 1). */
export function rand<const S extends Shape>(shape: S, options: RandomOptions): Tensor<Literal<S>> {
  const generator = generatorOf(options);
  return fill(shape, (data) => forEachIndex(data, () => generator.uint32() >>> 8, 2 ** -24), {
    device: options.device,
  });
}

/** Standard normal numbers. */
export function randn<const S extends Shape>(shape: S, options: RandomOptions): Tensor<Literal<S>> {
  const generator = generatorOf(options);
  return fill(
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
  const generator = generatorOf(options);
  return fill(shape, (data) => forEachIndex(data, () => generator.integer(low, high)), {
    device: options.device,
    dtype: "int32",
  });
}

function generatorOf({ seed }: RandomOptions): Generator {
  return typeof seed === "number" ? new Generator(seed) : seed;
}

function forEachIndex(data: Float32Array | Int32Array | Uint8Array, value: (index: number) => number, scale = 1): void {
  for (let i = 0; i < data.length; i++) data[i] = value(i) * scale;
}

/**
 * A tensor whose elements `write` fills in, row-major and in place where the CPU reaches the device's memory: loads
 * weights without a second copy. The elements start as whatever was there.
 */
export async function fillAsync<const S extends Shape, D extends DType = "float32">(
  shape: S,
  write: (data: DataOf[D]) => Promise<void>,
  options: CreateOptions<D> = {},
): Promise<Tensor<Literal<S>, NoInfer<D>>> {
  const { backend, dtype, length } = resolve(shape, options);
  const storage = backend.allocate(dtype, length);
  const data = backend.writable(storage);
  if (data) {
    const result = new Tensor<Literal<S>, D>(wholeView(storage, [...shape]));
    try {
      await write(data);
    } catch (error) {
      result.dispose();
      throw error;
    }
    return result;
  }
  discard(storage); // the device takes uploads only
  const staged = newData(dtype, length);
  await write(staged);
  return new Tensor<Literal<S>, D>(wholeView(backend.upload(dtype, staged), [...shape]));
}

/** Creates a tensor and has `write` fill in its elements, which start as zeros. */
function fill<S extends Shape, D extends DType = "float32">(
  shape: S,
  write: (data: DataOf[D]) => void,
  options: CreateOptions<D>,
): Tensor<Literal<S>, NoInfer<D>> {
  const { backend, dtype, length } = resolve(shape, options);
  const data = newData(dtype, length);
  write(data);
  return new Tensor<Literal<S>, D>(wholeView(backend.upload(dtype, data), [...shape]));
}

function resolve<D extends DType>(shape: Shape, { dtype, device }: CreateOptions<D>) {
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 0) {
      throw new ShapeMismatchError("shape", `sizes must be integers from 0, got ${showShape(shape)}`);
    }
  }
  const backend = device === undefined ? defaultDevice() : typeof device === "string" ? deviceByName(device) : device;
  return { backend, dtype: (dtype ?? "float32") as D, length: sizeOf(shape) };
}
