/// <reference lib="esnext.disposable" preserve="true" />
export type { Dtype, DtypeArray } from "./dtype.ts";
export { bitsPerElement, DTYPES } from "./dtype.ts";
export { SafetensorsError, type SafetensorsErrorCode, type SafetensorsErrorContext } from "./errors.ts";
export type { FileHandleLike } from "./file-source.ts";
export type { TensorInfo } from "./header.ts";
export type { HttpOptions } from "./http/options.ts";
export { type OpenOptions, open, type Source } from "./open.ts";
export type { Own } from "./own.ts";
export { parse, type RawTensor, type SafeTensors, type TensorReader } from "./safetensors.ts";
export { type MetadataInput, serialize, type TensorData, type TensorInput, type TensorInputs } from "./serialize.ts";
export { type LazyFile, type LazyTensorData, serializeLazily } from "./serialize-lazily.ts";
export { type OpenShardedOptions, openSharded, type ShardedSafeTensors } from "./sharded.ts";
export { type WriteOptions, writeFile } from "./write-file.ts";
