import { type CpuView, INT8_GROUP, type MatrixEncoding } from "../backend.ts";

/** A row-major matrix of `width` columns. */
interface Target {
  readonly data: Float32Array;
  readonly width: number;
}

/** Writes a matrix [K, n] to columns `first`… of another: not its elements, but what an encoding keeps of them. */
export function encodeColumns(
  { data, shape, strides, offset }: CpuView<"float32">,
  encoding: MatrixEncoding,
  target: Target,
  first: number,
): void {
  const [rows, columns] = shape as readonly [number, number];
  const [rowStride, columnStride] = strides as readonly [number, number];
  const column = new Float32Array(rows);
  for (let j = 0; j < columns; j++) {
    for (let i = 0; i < rows; i++) column[i] = data[offset + i * rowStride + j * columnStride]!;
    if (encoding === "bf16") roundToBf16(column);
    if (encoding === "int8") roundToInt8(column);
    for (let i = 0; i < rows; i++) target.data[i * target.width + first + j] = column[i]!;
  }
}

/** To the nearest bfloat16 (the upper half of a float32), ties to even; NaN stays NaN, and what is too large is infinite. */
function roundToBf16(values: Float32Array): void {
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < values.length; i++) {
    const x = bits[i]!;
    bits[i] = (Number.isNaN(values[i]!) ? x | 0x400000 : x + 0x7fff + ((x >>> 16) & 1)) & 0xffff0000;
  }
}

/** To the nearest multiples, ties to even, of each group's scale: the largest absolute value is 127 of it. */
function roundToInt8(column: Float32Array): void {
  for (let start = 0; start < column.length; start += INT8_GROUP) {
    const group = column.subarray(start, start + INT8_GROUP);
    const { inverse, scale } = int8Scale(group);
    for (let i = 0; i < group.length; i++) group[i] = nearestInteger(Math.fround(group[i]! * inverse)) * scale;
  }
}

/** Below this, 2^-100, a group counts as zeros: its scale would leave the range of float32. */
const TINY = 2 ** -100;

/** The scale of a group of weights, and what they are multiplied by to become integers, both float32. */
export function int8Scale(group: Float32Array): { readonly inverse: number; readonly scale: number } {
  let most = 0;
  for (const value of group) most = Math.max(most, Math.abs(value)); // NaN if there is one
  return most < TINY ? { inverse: 0, scale: 0 } : { inverse: Math.fround(127 / most), scale: Math.fround(most / 127) };
}

/** Ties to even: what is added leaves no bits for a fraction. */
export function nearestInteger(x: number): number {
  const shift = 1.5 * 2 ** 52;
  return x + shift - shift;
}

/** Writes integers [K, n] times their scales [K / INT8_GROUP, n] to columns `first`… of a matrix. */
export function scaleColumns(
  integers: CpuView<"uint8">,
  scales: CpuView<"float32">,
  target: Target,
  first: number,
): void {
  const [rows, columns] = integers.shape as readonly [number, number];
  const signed = new Int8Array(integers.data.buffer, integers.data.byteOffset, integers.data.length);
  for (let i = 0; i < rows; i++) {
    const group = Math.floor(i / INT8_GROUP);
    for (let j = 0; j < columns; j++) {
      const integer = signed[integers.offset + i * integers.strides[0]! + j * integers.strides[1]!]!;
      const scale = scales.data[scales.offset + group * scales.strides[0]! + j * scales.strides[1]!]!;
      target.data[i * target.width + first + j] = integer * scale;
    }
  }
}
