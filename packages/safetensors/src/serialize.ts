import { bytesOf } from "./byte-source.ts";
import { DTYPES, type Dtype, holds, isDtype } from "./dtype.ts";
import { quote, SafetensorsError } from "./errors.ts";
import { describeShape, LENGTH_BYTES, MAX_HEADER_BYTES, METADATA_KEY, tensorByteLength } from "./header.ts";
import { kindOf } from "./kind.ts";
import type { Own } from "./own.ts";

/** Elements in row-major order, as the file will hold them: plain bytes, or the typed array that `read` returns. */
export type TensorData = ArrayBufferLike | ArrayBufferView;

/** A tensor to write. */
export interface TensorInput<Data = TensorData> {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: Data;
}

/** Tensors by name. A `Map` keeps names such as `__proto__` out of trouble. */
export type TensorInputs<Data = TensorData> =
  | Readonly<Record<string, TensorInput<Data>>>
  | ReadonlyMap<string, TensorInput<Data>>;

export type MetadataInput = Readonly<Record<string, string>>;

/** A tensor with its place in the file. */
export interface PlacedTensor<Data> extends TensorInput<Data> {
  readonly name: string;
  readonly byteLength: number;
}

export interface Layout<Data> {
  /** The file up to the data: header length, header, padding. */
  readonly head: Uint8Array;
  /** In the order in which they are written. */
  readonly tensors: readonly PlacedTensor<Data>[];
  /** Bytes of the whole file. */
  readonly size: number;
}

/**
 * Writes a safetensors file to memory, byte for byte as the official Python package does: larger dtypes first, so that
 * every tensor is aligned, then by name; the header padded with spaces to a multiple of 8 bytes. Metadata is sorted by
 * key (the official package writes it in random order).
 *
 * @throws SafetensorsError `invalid-name`, `invalid-tensor`, `invalid-metadata`, `shape-overflow`, `misaligned`,
 *   `size-mismatch`, `header-too-large`, `too-large` if there is no memory for it
 */
export function serialize(tensors: TensorInputs, metadata?: MetadataInput): Own<Uint8Array> {
  const layout = layOut(tensors, metadata);
  const bytes = allocate(layout.size);
  bytes.set(layout.head);
  let position = layout.head.byteLength;
  for (const tensor of layout.tensors) {
    bytes.set(tensorBytes(tensor, tensor.data), position);
    position += tensor.byteLength;
  }
  return bytes;
}

/** Orders the tensors and writes the header; the tensors' data is not looked at. */
export function layOut<Data>(inputs: TensorInputs<Data>, metadata: MetadataInput | undefined): Layout<Data> {
  const entries = isMap(inputs) ? [...inputs] : Object.entries(inputs);
  const tensors = entries.map(([name, input]) => place(name, input));
  tensors.sort((a, b) => DTYPES.indexOf(b.dtype) - DTYPES.indexOf(a.dtype) || compareCodePoints(a.name, b.name));

  const fields = metadata === undefined ? [] : [`${JSON.stringify(METADATA_KEY)}:${metadataJson(metadata)}`];
  let offset = 0;
  for (const { name, dtype, shape, byteLength } of tensors) {
    const end = offset + byteLength;
    fields.push(`${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${offset},${end}]}`);
    offset = end;
  }
  const json = new TextEncoder().encode(`{${fields.join(",")}}`);
  const headerBytes = Math.ceil(json.byteLength / LENGTH_BYTES) * LENGTH_BYTES;
  if (headerBytes > MAX_HEADER_BYTES) {
    const detail = `the header would take ${headerBytes} bytes, the format allows ${MAX_HEADER_BYTES}`;
    throw new SafetensorsError("header-too-large", detail);
  }
  const head = new Uint8Array(LENGTH_BYTES + headerBytes).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(headerBytes), true);
  head.set(json, LENGTH_BYTES);
  return { head, tensors, size: head.byteLength + offset };
}

/** The bytes of a tensor's data, checked against its dtype and shape. */
export function tensorBytes(tensor: PlacedTensor<unknown>, data: unknown): Uint8Array {
  const { name, dtype, shape, byteLength } = tensor;
  if (!isTensorData(data)) {
    throw new SafetensorsError("invalid-tensor", "its data is neither a buffer nor a typed array", { tensor: name });
  }
  const bytes = bytesOf(data);
  if (bytes.byteLength !== byteLength) {
    const detail = `${dtype} ${describeShape(shape)} takes ${byteLength} bytes, but its data has ${bytes.byteLength}`;
    throw new SafetensorsError("size-mismatch", detail, { tensor: name });
  }
  const kind = kindOf(data);
  if (ArrayBuffer.isView(data) && kind !== "Uint8Array" && kind !== "DataView" && !holds(dtype, data)) {
    throw new SafetensorsError("invalid-tensor", `a ${kind} does not hold ${dtype}`, { tensor: name });
  }
  return bytes;
}

function isMap<Data>(inputs: TensorInputs<Data>): inputs is ReadonlyMap<string, TensorInput<Data>> {
  return kindOf(inputs) === "Map";
}

function isTensorData(data: unknown): data is TensorData {
  return ArrayBuffer.isView(data) || /^(Shared)?ArrayBuffer$/.test(kindOf(data));
}

function place<Data>(name: string, { dtype, shape, data }: TensorInput<Data>): PlacedTensor<Data> {
  if (name === METADATA_KEY || hasLoneSurrogate(name)) {
    const reason = name === METADATA_KEY ? "is reserved" : "is not valid Unicode";
    throw new SafetensorsError("invalid-name", `this name ${reason}`, { tensor: name });
  }
  if (!isDtype(dtype)) {
    throw new SafetensorsError("invalid-tensor", `unknown dtype ${quote(String(dtype))}`, { tensor: name });
  }
  const dimension = shape.find((length) => !Number.isSafeInteger(length) || length < 0);
  if (dimension !== undefined) {
    const detail = `its shape ${describeShape(shape)} has ${dimension}, which is not a whole number`;
    throw new SafetensorsError("invalid-tensor", detail, { tensor: name });
  }
  const byteLength = Number(tensorByteLength(dtype, shape, { tensor: name }));
  return { name, dtype, shape, data, byteLength };
}

function metadataJson(metadata: MetadataInput): string {
  const fields = Object.entries<unknown>(metadata)
    .sort(([a], [b]) => compareCodePoints(a, b))
    .map(([key, value]) => {
      if (typeof value !== "string" || hasLoneSurrogate(key) || hasLoneSurrogate(value)) {
        throw new SafetensorsError("invalid-metadata", `${quote(key)} or its value is not a string of valid Unicode`);
      }
      return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
    });
  return `{${fields.join(",")}}`;
}

function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

/** The order of the UTF-8 bytes. The order of UTF-16 code units (`<`) differs from it past U+FFFF. */
function compareCodePoints(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  // Two surrogate pairs may differ only in their second halves, which also gives the right order.
  return (a.codePointAt(i) ?? -1) - (b.codePointAt(i) ?? -1);
}

function allocate(byteLength: number): Own<Uint8Array> {
  try {
    return new Uint8Array(byteLength);
  } catch (cause) {
    throw new SafetensorsError("too-large", `${byteLength} bytes cannot be allocated; use writeFile()`, { cause });
  }
}
