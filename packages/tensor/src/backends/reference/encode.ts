import type { CpuView, MatrixEncoding } from "../backend.ts";

/**
 * Writes a matrix [K, n] to columns `first`… of a row-major one of `width` columns: not its elements, but what an encoding
 * keeps of them.
 */
export function encodeColumns(
  { data, shape, strides, offset }: CpuView<"float32">,
  encoding: MatrixEncoding,
  target: Float32Array,
  first: number,
  width: number,
): void {
  const [rows, columns] = shape as readonly [number, number];
  const [rowStride, columnStride] = strides as readonly [number, number];
  const column = new Float32Array(rows);
  for (let j = 0; j < columns; j++) {
    for (let i = 0; i < rows; i++) column[i] = data[offset + i * rowStride + j * columnStride]!;
    if (encoding === "bf16") roundToBf16(column);
    for (let i = 0; i < rows; i++) target[i * width + first + j] = column[i]!;
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
