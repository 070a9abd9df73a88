import type { Backend } from "../backends/backend.ts";
import { wholeView } from "../backends/dispatch.ts";
import { backendOf, type DeviceChoice } from "../device.ts";
import { byteSize, type DataOf, type DType, dtypes, expectHeld, newData } from "../dtype.ts";
import { DeviceError, ShapeMismatchError } from "../errors.ts";
import { checkOptionNames, OptionError, showValue } from "../options.ts";
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

/** Creates a tensor and has `write` fill in its elements, which start as zeros. */
export function fill<S extends Shape, D extends DType = "float32">(
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
export function copyInto(target: DataOf[DType], source: ArrayLike<number>, op: string, dtype: DType = "float32"): void {
  // A typed array of the element type holds nothing else.
  const name = typedArrayName(source);
  const same = dtype !== "bool" && name === typedArrayName(target);
  if (!same) for (let i = 0; i < source.length; i++) expectNumber(op, "elements", source[i], dtype);
  target.set(source);
}

/** A number (or boolean) that the element type holds; `what` is what it is to be. */
export function expectNumber(op: string, what: string, value: unknown, dtype: DType = "float32"): number {
  if (typeof value !== "number" && typeof value !== "boolean") {
    throw new TypeError(
      `${op}: expected ${what === "elements" ? "numbers" : `${what} that is a number`}, got ${showValue(value)}`,
    );
  }
  expectHeld(op, dtype, Number(value));
  return Number(value);
}

export function checkShape(op: string, shape: readonly number[]): void {
  if (!Array.isArray(shape)) {
    throw new TypeError(`${op}: expected the shape as an array, such as [2, 3], got ${showValue(shape)}`);
  }
  if (shape.every((size) => Number.isInteger(size) && size >= 0)) return;
  throw new ShapeMismatchError(op, `sizes must be integers from 0, got ${showValue(shape)}`);
}

export function resolve<D extends DType>(op: string, shape: Shape, options: CreateOptions<D>) {
  checkOptionNames(options, ["dtype", "device"], op);
  const { dtype = "float32" as D, device } = options;
  if (!dtypes.includes(dtype)) {
    throw new OptionError("dtype", `there is no ${showValue(dtype)}; there are ${dtypes.join(", ")}`);
  }
  checkShape(op, shape);
  return { backend: backendOf(device), dtype, length: sizeOf(shape) };
}

/** Sets each element to `value(index) * scale`. */
export function forEachIndex(
  data: Float32Array | Int32Array | Uint8Array,
  value: (index: number) => number,
  scale = 1,
): void {
  for (let i = 0; i < data.length; i++) data[i] = value(i) * scale;
}
