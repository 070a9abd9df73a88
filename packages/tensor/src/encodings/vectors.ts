import type { MatrixEncoding } from "./index.ts";

/** Encodings that change what a vector takes. */
export type VectorEncoding = Exclude<MatrixEncoding, "f32">;

/** Numbers that 16 bytes hold: kernels load so many bytes at once, so that vectors are padded to a multiple of them. */
const PER_16_BYTES = { bf16: 8, int8: 16 } as const satisfies Record<VectorEncoding, number>;
/** An int8 vector ends with its scale, a float32. */
const SCALE_BYTES = 4;

/** Bytes of a vector of `length` numbers that is encoded as a whole: 128 in `bf16` and 68 in `int8` for 64 numbers. */
export function vectorBytes(encoding: MatrixEncoding, length: number): number {
  if (encoding === "f32") return 4 * length;
  const blocks = 16 * Math.ceil(length / PER_16_BYTES[encoding]);
  return encoding === "int8" ? blocks + SCALE_BYTES : blocks;
}

/** The encoding in which a vector of `length` numbers has so many bytes. Only int8 makes them no multiple of 16. */
export function vectorEncodingOf(bytes: number, length: number): VectorEncoding | undefined {
  return (["bf16", "int8"] as const).find((encoding) => vectorBytes(encoding, length) === bytes);
}
