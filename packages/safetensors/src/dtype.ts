import { kindOf } from "./kind.ts";
import type { Own } from "./own.ts";

/** How each dtype is held in memory. F16 and BF16 are their bit patterns; C64 is real, imaginary, real, imaginary, …. */
const FORMATS = {
  BOOL: { bits: 8, array: Uint8Array },
  F4: { bits: 4, array: Uint8Array },
  F6_E2M3: { bits: 6, array: Uint8Array },
  F6_E3M2: { bits: 6, array: Uint8Array },
  U8: { bits: 8, array: Uint8Array },
  I8: { bits: 8, array: Int8Array },
  F8_E5M2: { bits: 8, array: Uint8Array },
  F8_E4M3: { bits: 8, array: Uint8Array },
  F8_E8M0: { bits: 8, array: Uint8Array },
  F8_E4M3FNUZ: { bits: 8, array: Uint8Array },
  F8_E5M2FNUZ: { bits: 8, array: Uint8Array },
  I16: { bits: 16, array: Int16Array },
  U16: { bits: 16, array: Uint16Array },
  F16: { bits: 16, array: Uint16Array },
  BF16: { bits: 16, array: Uint16Array },
  I32: { bits: 32, array: Int32Array },
  U32: { bits: 32, array: Uint32Array },
  F32: { bits: 32, array: Float32Array },
  C64: { bits: 64, array: Float32Array },
  F64: { bits: 64, array: Float64Array },
  I64: { bits: 64, array: BigInt64Array },
  U64: { bits: 64, array: BigUint64Array },
} as const;

/** A dtype of the format, by the name it has in the header. */
export type Dtype = keyof typeof FORMATS;

/** The typed array that holds the elements of dtype `D`. Sub-byte dtypes stay packed, as bytes. */
export type DtypeArray<D extends Dtype = Dtype> = D extends "I8"
  ? Own<Int8Array>
  : D extends "I16"
    ? Own<Int16Array>
    : D extends "U16" | "F16" | "BF16"
      ? Own<Uint16Array>
      : D extends "I32"
        ? Own<Int32Array>
        : D extends "U32"
          ? Own<Uint32Array>
          : D extends "F32" | "C64"
            ? Own<Float32Array>
            : D extends "F64"
              ? Own<Float64Array>
              : D extends "I64"
                ? Own<BigInt64Array>
                : D extends "U64"
                  ? Own<BigUint64Array>
                  : Own<Uint8Array>;

/** Every dtype, in the reverse of the official writer's order of tensors: by alignment, then by declaration. */
export const DTYPES: readonly Dtype[] = Object.freeze(Object.keys(FORMATS).filter(isDtype));

export function isDtype(name: string): name is Dtype {
  return Object.hasOwn(FORMATS, name);
}

/** Size of one element in bits: 4 and 6 for the sub-byte dtypes. */
export function bitsPerElement(dtype: Dtype): number {
  return FORMATS[dtype].bits;
}

/** The bytes, which must begin a buffer or be aligned in it, as the dtype's typed array. */
export function viewAs(dtype: Dtype, bytes: Own<Uint8Array>): DtypeArray {
  const { array } = FORMATS[dtype];
  return new array(bytes.buffer, bytes.byteOffset, bytes.byteLength / array.BYTES_PER_ELEMENT);
}

/** Whether a typed array of this class can hold the dtype's elements as they lie in the file. */
export function holds(dtype: Dtype, view: ArrayBufferView): boolean {
  const kind = kindOf(view);
  // Node 20 has no Float16Array, so the table has another array for it.
  return kind === FORMATS[dtype].array.name || (dtype === "F16" && kind === "Float16Array");
}
