import type { Encoding } from "./encoding.ts";
import { INT8_GROUP, INT8_LARGEST, INT8_NEGLIGIBLE } from "./int8-scheme.ts";

/**
 * As 8-bit integers with a float32 scale for each column and group of `INT8_GROUP` rows. A product quantizes its left operand
 * too, to 8 bits by row and group, and sums integers.
 */
export const int8 = {
  name: "int8",
  fileBytes: (rows, columns) => (rows + 4 * groups(rows)) * columns,
  // With each scale the kernels keep the sum of its integers, in 16 bits.
  deviceBytes: (rows, columns) => (rows + 6 * groups(rows)) * columns,
  round: roundToInt8,
  arithmetic: "int8",
  file: { dtype: "I8", encode: undefined },
  integers: { group: INT8_GROUP, quantize },
} as const satisfies Encoding;

function groups(rows: number): number {
  return Math.ceil(rows / INT8_GROUP);
}

/** To the nearest multiples, ties to even, of each group's scale. */
function roundToInt8(column: Float32Array): void {
  const integers = new Int8Array(INT8_GROUP);
  for (let start = 0; start < column.length; start += INT8_GROUP) {
    const group = column.subarray(start, start + INT8_GROUP);
    const scale = quantize(group, integers);
    for (let i = 0; i < group.length; i++) group[i] = integers[i]! * scale;
  }
}

/** Writes `integers` from -127 to 127, ties rounded to even, and returns the scale that takes them back. */
function quantize(weights: Float32Array, integers: Int8Array): number {
  let most = 0;
  for (let i = 0; i < weights.length; i++) most = Math.max(most, Math.abs(weights[i]!)); // NaN if there is one
  if (most < INT8_NEGLIGIBLE) {
    integers.fill(0, 0, weights.length);
    return 0;
  }
  const inverse = Math.fround(INT8_LARGEST / most);
  for (let i = 0; i < weights.length; i++) {
    // What is added leaves no bits for a fraction, so the sum is rounded to an integer.
    integers[i] = Math.fround(weights[i]! * inverse) + ROUND - ROUND;
  }
  return most < Infinity ? Math.fround(most / INT8_LARGEST) : Number.NaN;
}

const ROUND = 1.5 * 2 ** 52;
