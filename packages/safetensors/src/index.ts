export type { Dtype, DtypeArray } from "./dtype.ts";
export { bitsPerElement, DTYPES } from "./dtype.ts";
export { SafetensorsError, type SafetensorsErrorCode } from "./errors.ts";
export type { FileHandleLike } from "./file-source.ts";
export type { TensorInfo } from "./header.ts";
export { type OpenOptions, open, type Source } from "./open.ts";
export { parse, type RawTensor, type SafeTensors, type TensorReader } from "./safetensors.ts";
