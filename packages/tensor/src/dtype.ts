import { DTypeError } from "./errors.ts";

/** The element types a tensor can hold. `bool` is stored as one byte, 0 or 1. */
export type DType = "float32" | "int32" | "uint8" | "bool";

/** The typed array that holds each element type on the CPU. */
export interface DataOf {
  readonly float32: Float32Array;
  readonly int32: Int32Array;
  readonly uint8: Uint8Array;
  readonly bool: Uint8Array;
}

const arrayTypes = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array, bool: Uint8Array } as const;

/** Their names. */
export const dtypes = Object.keys(arrayTypes) as readonly DType[];

/** A zero-filled typed array of `length` elements of `dtype`. */
export function newData<D extends DType>(dtype: D, length: number): DataOf[D] {
  return new arrayTypes[dtype](length) as DataOf[D];
}

/** A typed array of `length` elements of `dtype` over existing memory. */
export function dataOver<D extends DType>(
  dtype: D,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): DataOf[D] {
  const TypedArray: new (buffer: ArrayBufferLike, byteOffset: number, length: number) => DataOf[DType] =
    arrayTypes[dtype];
  return new TypedArray(buffer, byteOffset, length) as DataOf[D];
}

/** Bytes per element. */
export function byteSize(dtype: DType): 1 | 4 {
  return dtype === "float32" || dtype === "int32" ? 4 : 1;
}

/** The least and the greatest number of each integer type. */
const ranges = { int32: [-(2 ** 31), 2 ** 31 - 1], uint8: [0, 255], bool: [0, 1] } as const;

/**
 * Whether `dtype` holds a number: every number for float32, which rounds it to the nearest of its own; whole numbers
 * within range for int32 and uint8; 0 and 1 for bool.
 */
export function holds(dtype: DType, value: number): boolean {
  if (dtype === "float32") return true;
  const [least, most] = ranges[dtype];
  return Number.isInteger(value) && value >= least && value <= most;
}

/** Throws {@link DTypeError} for a number that `dtype` does not hold; `op` is where it was given. */
export function expectHeld(op: string, dtype: DType, value: number): void {
  if (holds(dtype, value)) return;
  const [least, most] = ranges[dtype as keyof typeof ranges];
  throw new DTypeError(
    op,
    `${dtype} cannot hold ${value}, only integers from ${least} to ${most}; use float32, and cast("${dtype}") to convert`,
  );
}
