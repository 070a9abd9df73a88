import type { Encoding, IntegerScheme } from "../../encodings/index.ts";
import type { CpuView } from "../backend.ts";
import type { IntegerMatrix } from "./integer-product.ts";

/** A row-major matrix of `width` columns. */
interface Target {
  readonly data: Float32Array;
  readonly width: number;
}

/** Writes a matrix [K, n] to columns `first`… of another: not its elements, but what an encoding keeps of them. */
export function encodeColumns(
  { data, shape, strides, offset }: CpuView<"float32">,
  encoding: Encoding,
  target: Target,
  first: number,
): void {
  const [rows, columns] = shape as readonly [number, number];
  const [rowStride, columnStride] = strides as readonly [number, number];
  const column = new Float32Array(rows);
  for (let j = 0; j < columns; j++) {
    for (let i = 0; i < rows; i++) column[i] = data[offset + i * rowStride + j * columnStride]!;
    encoding.round?.(column);
    for (let i = 0; i < rows; i++) target.data[i * target.width + first + j] = column[i]!;
  }
}

/** Writes integers [K, n] and their scales [K / group, n] to columns `first`… of a matrix. */
export function copyIntegers(
  integers: CpuView<"uint8">,
  scales: CpuView<"float32">,
  { packed, target }: IntegerTarget,
  first: number,
): void {
  const signed = new Int8Array(integers.data.buffer, integers.data.byteOffset, integers.data.length);
  copyColumns({ ...integers, data: signed }, packed.integers, target.width, first);
  copyColumns(scales, packed.scales, target.width, first);
  scaleColumns({ packed, target }, first, integers.shape[1]!);
}

/** Quantizes a matrix [K, n] to columns `first`… of another. */
export function quantizeColumns(
  { data, shape, strides, offset }: CpuView<"float32">,
  scheme: IntegerScheme,
  { packed, target }: IntegerTarget,
  first: number,
): void {
  const [rows, columns] = shape as readonly [number, number];
  const [rowStride, columnStride] = strides as readonly [number, number];
  const { width } = target;
  const weights = new Float32Array(scheme.group);
  const integers = new Int8Array(scheme.group);
  for (let j = 0; j < columns; j++) {
    for (let start = 0; start < rows; start += scheme.group) {
      const count = Math.min(scheme.group, rows - start);
      for (let i = 0; i < count; i++) weights[i] = data[offset + (start + i) * rowStride + j * columnStride]!;
      const scale = scheme.quantize(weights.subarray(0, count), integers);
      packed.scales[(start / scheme.group) * width + first + j] = scale;
      for (let i = 0; i < count; i++) packed.integers[(start + i) * width + first + j] = integers[i]!;
    }
  }
  scaleColumns({ packed, target }, first, columns);
}

/** A matrix of integers, and where its elements go, which ops other than products read. */
export interface IntegerTarget {
  readonly packed: IntegerMatrix;
  readonly target: Target;
}

/** Elements are integers times scales. */
function scaleColumns({ packed, target }: IntegerTarget, first: number, columns: number): void {
  const { rows, group, integers, scales } = packed;
  for (let i = 0; i < rows; i++) {
    const scaleRow = Math.floor(i / group) * target.width;
    for (let j = first; j < first + columns; j++) {
      target.data[i * target.width + j] = integers[i * target.width + j]! * scales[scaleRow + j]!;
    }
  }
}

/** Copies a strided matrix to columns `first`… of a row-major one. */
function copyColumns(
  { data, shape, strides, offset }: Pick<CpuView, "shape" | "strides" | "offset"> & { data: ArrayLike<number> },
  to: Int8Array | Float32Array,
  width: number,
  first: number,
): void {
  const [rows, columns] = shape as readonly [number, number];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      to[i * width + first + j] = data[offset + i * strides[0]! + j * strides[1]!]!;
    }
  }
}
