import type { MatrixEncoding } from "../../../encodings/index.ts";
import { bf16 } from "./bf16.ts";
import type { WasmEncoding } from "./encoding.ts";
import { f32 } from "./f32.ts";
import { int8Bytes, int8Words } from "./int8.ts";

export type WasmEncodings = Readonly<Record<MatrixEncoding, WasmEncoding>>;

/** @param byteProducts whether int8 matrices are multiplied by relaxed SIMD's dot product of bytes */
export function wasmEncodings(byteProducts: boolean): WasmEncodings {
  return { f32, bf16, int8: byteProducts ? int8Bytes : int8Words };
}
