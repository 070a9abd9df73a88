import { bitsPerElement, type Dtype } from "./dtype.ts";

/** Dtypes that convert to float32. */
export type FloatDtype = "F16" | "BF16" | "F32" | "F64";

export function isFloatDtype(dtype: Dtype): dtype is FloatDtype {
  return dtype === "F16" || dtype === "BF16" || dtype === "F32" || dtype === "F64";
}

/**
 * Converts little-endian elements to float32. F16 and BF16 convert exactly, including bit patterns of NaN;
 * F64 rounds to the nearest float32, ties to even.
 *
 * @param bytes the elements; must begin at a multiple of their size
 * @param target as many float32 as there are elements
 */
export function convertToFloat32(dtype: FloatDtype, bytes: Uint8Array, target: Float32Array): void {
  const length = (bytes.byteLength * 8) / bitsPerElement(dtype);
  switch (dtype) {
    case "F32":
      target.set(new Float32Array(bytes.buffer, bytes.byteOffset, length));
      return;
    case "F64":
      target.set(new Float64Array(bytes.buffer, bytes.byteOffset, length));
      return;
    case "BF16": {
      const source = new Uint16Array(bytes.buffer, bytes.byteOffset, length);
      const bits = new Uint32Array(target.buffer, target.byteOffset, length);
      // A bfloat16 is the upper half of a float32.
      for (let i = 0; i < length; i++) bits[i] = source[i]! << 16;
      return;
    }
    case "F16": {
      const source = new Uint16Array(bytes.buffer, bytes.byteOffset, length);
      const bits = new Uint32Array(target.buffer, target.byteOffset, length);
      const table = float16Table();
      for (let i = 0; i < length; i++) bits[i] = table[source[i]!]!;
      return;
    }
  }
}

let table: Uint32Array | undefined;

/** The float32 bit pattern of each of the 65,536 float16 bit patterns. */
function float16Table(): Uint32Array {
  table ??= Uint32Array.from({ length: 2 ** 16 }, (_, half) => float16Bits(half));
  return table;
}

/** IEEE 754 binary16 (sign 1, exponent 5, fraction 10 bits) to binary32 (1, 8, 23). */
function float16Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent - 15 + 127) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // Subnormal: fraction × 2^-24. Shift its leading 1 into the implicit bit.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((127 - 14 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}
