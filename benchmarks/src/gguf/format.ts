/**
 * The part of GGUF version 3 that a GPT-2 file needs, everything little-endian: a header with metadata, the list of
 * tensors, then their bytes.
 *
 * Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */

/** Numbers of `enum ggml_type` and of `gguf_metadata_value_type`. */
export const TENSOR_TYPE = { f32: 0, q8_0: 8 } as const;
const VALUE_TYPE = { u32: 4, i32: 5, f32: 6, string: 8, array: 9 } as const;
const MAGIC = "GGUF";
const VERSION = 3;
/** Every tensor begins at a multiple of this after the first. */
export const ALIGNMENT = 32;

export type TensorType = keyof typeof TENSOR_TYPE;

export type MetadataValue =
  | { readonly type: "u32" | "f32"; readonly value: number }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "string[]"; readonly value: readonly string[] }
  | { readonly type: "i32[]"; readonly value: readonly number[] };

/** A tensor in the order of the file. `shape` is row-major, as in NumPy: GGUF lists it from the last axis to the first. */
export interface TensorEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: TensorType;
  readonly byteLength: number;
}

/** Everything before the first tensor's bytes, padded so that they begin aligned. */
export function encodeHeader(
  metadata: ReadonlyMap<string, MetadataValue>,
  tensors: readonly TensorEntry[],
): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  out.raw(new TextEncoder().encode(MAGIC));
  out.u32(VERSION);
  out.u64(tensors.length);
  out.u64(metadata.size);
  for (const [key, value] of metadata) {
    out.string(key);
    writeValue(out, value);
  }
  let offset = 0;
  for (const { name, shape, type, byteLength } of tensors) {
    out.string(name);
    out.u32(shape.length);
    for (const size of shape.toReversed()) out.u64(size);
    out.u32(TENSOR_TYPE[type]);
    out.u64(offset);
    offset += byteLength + padding(byteLength);
  }
  out.raw(new Uint8Array(padding(out.length)));
  return out.bytes();
}

/** Zero bytes that follow `length` bytes, so that what comes next is aligned. */
export function padding(length: number): number {
  return (ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT;
}

function writeValue(out: ByteWriter, metadata: MetadataValue): void {
  switch (metadata.type) {
    case "u32":
      out.u32(VALUE_TYPE.u32);
      out.u32(metadata.value);
      break;
    case "f32":
      out.u32(VALUE_TYPE.f32);
      out.f32(metadata.value);
      break;
    case "string":
      out.u32(VALUE_TYPE.string);
      out.string(metadata.value);
      break;
    case "string[]":
      out.arrayOf(VALUE_TYPE.string, metadata.value.length);
      for (const text of metadata.value) out.string(text);
      break;
    case "i32[]":
      out.arrayOf(VALUE_TYPE.i32, metadata.value.length);
      for (const value of metadata.value) out.u32(value >>> 0);
      break;
  }
}

/** Collects bytes in a buffer that grows. */
class ByteWriter {
  #buffer = new Uint8Array(1 << 16);
  length = 0;

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  u32(value: number): void {
    this.#view(4).setUint32(0, value, true);
  }

  u64(value: number): void {
    this.#view(8).setBigUint64(0, BigInt(value), true);
  }

  f32(value: number): void {
    this.#view(4).setFloat32(0, value, true);
  }

  string(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u64(bytes.length);
    this.raw(bytes);
  }

  arrayOf(elementType: number, length: number): void {
    this.u32(VALUE_TYPE.array);
    this.u32(elementType);
    this.u64(length);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.length);
  }

  #view(size: number): DataView {
    this.#room(size);
    this.length += size;
    return new DataView(this.#buffer.buffer, this.length - size, size);
  }

  #room(size: number): void {
    if (this.length + size <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#buffer.length, this.length + size));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}
