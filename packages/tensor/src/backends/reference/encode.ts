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

/**
 * Rounds values in place to the nearest bfloat16 (the upper half of a float32), ties to even; NaN stays NaN, and what is
 * too large is infinite.
 */
export function roundToBf16(values: Float32Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const x = bits[i]!;
    bits[i] = (Number.isNaN(values[i]!) ? x | 0x400000 : x + 0x7fff + ((x >>> 16) & 1)) & 0xffff0000;
  }
}

/** To the nearest multiples, ties to even, of each group's scale. */
function roundToInt8(column: Float32Array): void {
  const integers = new Int8Array(INT8_GROUP);
  for (let start = 0; start < column.length; start += INT8_GROUP) {
    const group = column.subarray(start, start + INT8_GROUP);
    const scale = quantizeInt8(group, integers);
    for (let i = 0; i < group.length; i++) group[i] = integers[i]! * scale;
  }
}

/** Below this, 2^-100, weights count as zeros: their scale would leave the range of float32. */
const TINY = 2 ** -100;

/**
 * What an `int8` matrix keeps of up to {@link INT8_GROUP} weights of a column: writes `integers` from -127 to 127, ties
 * rounded to even, and returns the float32 scale that takes them back; NaN if a weight is not finite.
 */
export function quantizeInt8(weights: Float32Array, integers: Int8Array): number {
  let most = 0;
  for (let i = 0; i < weights.length; i++) most = Math.max(most, Math.abs(weights[i]!)); // NaN if there is one
  if (most < TINY) {
    integers.fill(0, 0, weights.length);
    return 0;
  }
  const inverse = Math.fround(127 / most);
  for (let i = 0; i < weights.length; i++) {
    // What is added leaves no bits for a fraction, so the sum is rounded to an integer.
    integers[i] = Math.fround(weights[i]! * inverse) + ROUND - ROUND;
  }
  return most < Infinity ? Math.fround(most / 127) : Number.NaN;
}

const ROUND = 1.5 * 2 ** 52;

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
