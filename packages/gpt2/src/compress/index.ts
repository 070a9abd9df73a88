// A likelihood is a compressor: `@gpt2-ts/gpt2/compress`.
export { CompressedFormatError } from "../errors.ts";
export { type CompressOptions, type CompressProgress, compress, decompress } from "./compress.ts";
