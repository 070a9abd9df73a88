import type { MatrixEncoding } from "../../../encodings/index.ts";
import type { Int8Products } from "../byte-products.ts";
import { bf16 } from "./bf16.ts";
import type { WasmEncoding } from "./encoding.ts";
import { f32 } from "./f32.ts";
import { int8 } from "./int8.ts";

export type WasmEncodings = Readonly<Record<MatrixEncoding, WasmEncoding>>;

/** @param products how int8 matrices are multiplied */
export function wasmEncodings(products: Int8Products): WasmEncodings {
  return { f32, bf16, int8: int8(products) };
}
