import { bf16 } from "./bf16.ts";
import { f32 } from "./f32.ts";
import { int8 } from "./int8.ts";

export type { ArithmeticKind, Encoding, FileFormat, IntegerScheme } from "./encoding.ts";

/** Every encoding, by name. */
export const encodings = { f32, bf16, int8 } as const;

/**
 * How the elements of a packed matrix are kept, whatever dtype they had: as float32 (`f32`), rounded to the nearest bfloat16
 * (`bf16`), or as 8-bit integers with a float32 scale for each column and group of rows (`int8`). Ops see float32 whichever it
 * is, except that a product with the whole of an `int8` matrix quantizes its left operand too, to 8 bits by row and group, and
 * sums integers (docs/quantization.md).
 */
export type MatrixEncoding = keyof typeof encodings;
