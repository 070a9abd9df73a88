import type { Encoding } from "../../encodings/index.ts";
import type { CpuView } from "../backend.ts";

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

/** Writes integers [K, n] times their scales [K / group, n] to columns `first`… of a matrix. */
export function scaleColumns(
  integers: CpuView<"uint8">,
  scales: CpuView<"float32">,
  group: number,
  target: Target,
  first: number,
): void {
  const [rows, columns] = integers.shape as readonly [number, number];
  const signed = new Int8Array(integers.data.buffer, integers.data.byteOffset, integers.data.length);
  for (let i = 0; i < rows; i++) {
    const scaleRow = scales.offset + Math.floor(i / group) * scales.strides[0]!;
    for (let j = 0; j < columns; j++) {
      const integer = signed[integers.offset + i * integers.strides[0]! + j * integers.strides[1]!]!;
      const scale = scales.data[scaleRow + j * scales.strides[1]!]!;
      target.data[i * target.width + first + j] = integer * scale;
    }
  }
}
