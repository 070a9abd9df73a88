import { bitsPerElement, type Dtype, isDtype } from "./dtype.ts";
import { quote, SafetensorsError, type SafetensorsErrorCode } from "./errors.ts";
import { JsonError, JsonReader } from "./json-reader.ts";

/** Bytes before the header: its length as a little-endian unsigned 64-bit integer. */
export const LENGTH_BYTES = 8;
/** The longest header the format allows, in bytes. */
export const MAX_HEADER_BYTES = 100_000_000;
export const METADATA_KEY = "__metadata__";

/** Shapes are checked in the arithmetic of the official parser: unsigned 64-bit integers. */
const MAX_U64 = 2n ** 64n - 1n;

/** One tensor of a file. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Number of elements: the product of the shape, 1 for a scalar. */
  readonly size: number;
  readonly byteLength: number;
  /** Where the tensor begins, in bytes from the beginning of the file. */
  readonly byteOffset: number;
}

export interface Header {
  /** In the order of their data; a map, so that no name (`__proto__`) is special. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Has no prototype, for the same reason. */
  readonly metadata: Readonly<Record<string, string>> | undefined;
}

interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * The header's length, checked against the format's limit and the file's size.
 *
 * @throws SafetensorsError `header-too-small`, `header-too-large`, `header-past-end`
 */
export function headerLength(firstBytes: Uint8Array, fileSize: number, file?: string): number {
  if (fileSize < LENGTH_BYTES || firstBytes.byteLength < LENGTH_BYTES) {
    const detail = `${fileSize} bytes are too few: a safetensors file begins with ${LENGTH_BYTES} bytes of header length`;
    throw new SafetensorsError("header-too-small", detail, { file });
  }
  const length = new DataView(firstBytes.buffer, firstBytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    const detail = `a header of ${length} bytes is over the limit of ${MAX_HEADER_BYTES}; is this a safetensors file?`;
    throw new SafetensorsError("header-too-large", detail, { file });
  }
  if (LENGTH_BYTES + Number(length) > fileSize) {
    const detail = `a header of ${length} bytes does not fit in a file of ${fileSize} bytes`;
    throw new SafetensorsError("header-past-end", detail, { file });
  }
  return Number(length);
}

/**
 * Reads and checks the header by the rules of the official parser, and two more: no key that is read
 * appears twice, and a tensor's entry is an object.
 *
 * @param bytes the header alone, without its length
 * @param fileSize bytes of the whole file
 */
export function parseHeader(bytes: Uint8Array, fileSize: number, file?: string): Header {
  const dataBegin = LENGTH_BYTES + bytes.byteLength;
  const { entries: byName, metadata } = readJson(decode(bytes, file), file);
  const entries = [...byName.values()].sort((a, b) => a.begin - b.begin || a.end - b.end);

  const tensors = new Map<string, TensorInfo>();
  let position = 0;
  for (const { name, dtype, shape, begin, end } of entries) {
    const context = { file, tensor: name };
    if (begin !== position || end < begin) {
      const detail = `its data_offsets are [${begin}, ${end}], but the tensor before it ends at ${position}`;
      throw new SafetensorsError("invalid-offsets", detail, context);
    }
    position = end;
    const byteLength = tensorByteLength(dtype, shape, context);
    if (byteLength !== BigInt(end - begin)) {
      const detail = `${dtype} ${describeShape(shape)} takes ${byteLength} bytes, but its data_offsets span ${end - begin}`;
      throw new SafetensorsError("size-mismatch", detail, context);
    }
    const size = ((end - begin) * 8) / bitsPerElement(dtype);
    tensors.set(name, { name, dtype, shape, size, byteLength: end - begin, byteOffset: dataBegin + begin });
  }
  if (dataBegin + position !== fileSize) {
    const detail = `the tensors end at byte ${dataBegin + position}, but the file has ${fileSize} bytes`;
    throw new SafetensorsError("data-not-covered", detail, { file });
  }
  return { tensors, metadata };
}

/**
 * Bytes that a tensor takes.
 *
 * @throws SafetensorsError `shape-overflow` if a product on the way exceeds 64 bits, `misaligned` if it ends inside a byte
 */
export function tensorByteLength(
  dtype: Dtype,
  shape: readonly number[],
  context: { file?: string | undefined; tensor: string },
): bigint {
  let bits: number | bigint = 1; // a double as long as it is exact, because big integers are slow
  for (const factor of [...shape, bitsPerElement(dtype)]) {
    const next: number = Number(bits) * factor;
    bits = typeof bits === "number" && next <= Number.MAX_SAFE_INTEGER ? next : BigInt(bits) * BigInt(factor);
    if (bits > MAX_U64) {
      const detail = `${dtype} ${describeShape(shape)} has more elements or bits than 64 bits can count`;
      throw new SafetensorsError("shape-overflow", detail, context);
    }
  }
  const bytes = BigInt(bits) / 8n;
  if (bytes * 8n !== BigInt(bits)) {
    const detail = `${dtype} ${describeShape(shape)} takes ${bits} bits, which is not a whole number of bytes`;
    throw new SafetensorsError("misaligned", detail, context);
  }
  return bytes;
}

const MAX_DESCRIBED_DIMENSIONS = 16;

/** The shape for a message, such as `[2, 3]`. */
export function describeShape(shape: readonly number[]): string {
  const shown = shape.slice(0, MAX_DESCRIBED_DIMENSIONS).join(", ");
  return shape.length > MAX_DESCRIBED_DIMENSIONS ? `[${shown}, … ${shape.length} dimensions]` : `[${shown}]`;
}

function decode(bytes: Uint8Array, file: string | undefined): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SafetensorsError("header-not-utf8", "the header is not valid UTF-8", { file, cause });
  }
}

function readJson(text: string, file: string | undefined) {
  const entries = new Map<string, Entry>();
  let metadata: Record<string, string> | undefined;
  let hasMetadata = false;
  let tensor: string | undefined;
  try {
    const json = new JsonReader(text);
    if (json.peek() !== "object") {
      throw new SafetensorsError("header-not-object", `expected the header to be a JSON object, got ${json.peek()}`, {
        file,
      });
    }
    json.object(
      (key) => {
        if (key === METADATA_KEY) {
          hasMetadata = true;
          metadata = readMetadata(json, file);
        } else {
          tensor = key;
          entries.set(key, readEntry(json, key, file));
          tensor = undefined;
        }
      },
      (key) => entries.has(key) || (hasMetadata && key === METADATA_KEY),
    );
    json.end();
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    const code: SafetensorsErrorCode = cause.duplicate === undefined ? "header-not-json" : "duplicate-key";
    throw new SafetensorsError(code, `in the header, ${cause.message}`, {
      file,
      tensor: tensor ?? cause.duplicate,
      cause,
    });
  }
  return { entries, metadata };
}

function readMetadata(json: JsonReader, file: string | undefined): Record<string, string> | undefined {
  const kind = json.peek();
  if (kind === "null") {
    json.null();
    return undefined;
  }
  if (kind !== "object") {
    throw new SafetensorsError("invalid-metadata", `expected ${METADATA_KEY} to be an object, got ${kind}`, { file });
  }
  const metadata: Record<string, string> = Object.create(null);
  json.object(
    (key) => {
      const valueKind = json.peek();
      if (valueKind !== "string") {
        const detail = `expected the value of ${quote(key)} in ${METADATA_KEY} to be a string, got ${valueKind}`;
        throw new SafetensorsError("invalid-metadata", detail, { file });
      }
      metadata[key] = json.string();
    },
    (key) => key in metadata,
  );
  return Object.freeze(metadata);
}

function readEntry(json: JsonReader, name: string, file: string | undefined): Entry {
  const invalid = (detail: string) => new SafetensorsError("invalid-tensor-info", detail, { file, tensor: name });
  let dtype: Dtype | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  const wasRead = (key: string): boolean =>
    (key === "dtype" && dtype !== undefined) ||
    (key === "shape" && shape !== undefined) ||
    (key === "data_offsets" && offsets !== undefined);

  if (json.peek() !== "object") throw invalid(`expected its entry to be an object, got ${json.peek()}`);
  json.object((key) => {
    switch (key) {
      case "dtype":
        dtype = readDtype(json, name, file);
        break;
      case "shape":
        shape = readSizes(json, key, invalid);
        break;
      case "data_offsets":
        offsets = readSizes(json, key, invalid);
        break;
      default:
        json.skip();
    }
  }, wasRead);
  if (dtype === undefined) throw invalid("it has no dtype");
  if (shape === undefined) throw invalid("it has no shape");
  if (offsets === undefined) throw invalid("it has no data_offsets");
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || offsets.length !== 2) {
    throw invalid(`expected two data_offsets, got ${offsets.length}`);
  }
  return { name, dtype, shape: Object.freeze(shape), begin, end };
}

function readDtype(json: JsonReader, tensor: string, file: string | undefined): Dtype {
  const kind = json.peek();
  if (kind !== "string") {
    throw new SafetensorsError("invalid-tensor-info", `expected its dtype to be a string, got ${kind}`, {
      file,
      tensor,
    });
  }
  const name = json.string();
  if (!isDtype(name)) throw new SafetensorsError("unknown-dtype", `unknown dtype ${quote(name)}`, { file, tensor });
  return name;
}

function readSizes(json: JsonReader, key: string, invalid: (detail: string) => SafetensorsError): number[] {
  if (json.peek() !== "array") throw invalid(`expected its ${key} to be an array, got ${json.peek()}`);
  const sizes: number[] = [];
  json.array(() => {
    const size = json.wholeNumber();
    if (size === undefined) {
      const kind = json.peek();
      if (kind !== "number") throw invalid(`expected its ${key} to hold numbers, got ${kind}`);
      const found = quote(json.number());
      throw invalid(`its ${key} holds ${found}, not a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`);
    }
    sizes.push(size);
  });
  return sizes;
}
