import type { Encoding } from "./encoding.ts";

const bytes = (rows: number, columns: number): number => 2 * rows * columns;

/** Rounded to the nearest bfloat16. */
export const bf16 = {
  name: "bf16",
  fileBytes: bytes,
  deviceBytes: bytes,
  round: roundToBf16,
  arithmetic: "f32",
  file: { dtype: "BF16", encode },
  integers: undefined,
} as const satisfies Encoding;

/**
 * Rounds values in place to the nearest bfloat16 (the upper half of a float32), ties to even; NaN stays NaN, and what is
 * too large is infinite.
 */
function roundToBf16(values: Float32Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const x = bits[i]!;
    bits[i] = (Number.isNaN(values[i]!) ? x | 0x400000 : x + 0x7fff + ((x >>> 16) & 1)) & 0xffff0000;
  }
}

/** The upper half of each float32. */
function encode(values: Float32Array): Uint16Array {
  roundToBf16(values);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (x) => x >>> 16);
}
