import { type ByteReader, type ByteSource, bytesOf, memorySource, readBytes } from "./byte-source.ts";
import { convertToFloat32, isFloatDtype } from "./convert.ts";
import { bitsPerElement, type Dtype, type DtypeArray, viewAs } from "./dtype.ts";
import { quote, SafetensorsError } from "./errors.ts";
import { type Header, headerLength, LENGTH_BYTES, parseHeader, type TensorInfo } from "./header.ts";
import type { ReadAhead } from "./http/read-ahead.ts";
import type { Own } from "./own.ts";

/** A tensor as it lies in the file; checking `dtype` tells TypeScript which typed array `data` is. */
export type RawTensor<D extends Dtype = Dtype> = {
  [K in D]: { readonly dtype: K; readonly shape: readonly number[]; readonly data: DtypeArray<K> };
}[D];

/** What a single file and a sharded checkpoint have in common. */
export interface TensorReader extends AsyncDisposable {
  /** In the order of their data in the file; for a sharded checkpoint shard by shard, each in the order of the index. */
  readonly names: readonly string[];
  /** The `__metadata__` of the header, or undefined if there is none. */
  readonly metadata: Readonly<Record<string, string>> | undefined;
  has(name: string): boolean;
  /** @throws SafetensorsError `tensor-not-found` */
  info(name: string): TensorInfo | Promise<TensorInfo>;
  /** Reads a tensor into memory of its own. */
  read(name: string): Promise<RawTensor>;
  /**
   * Reads an F32, F16, BF16 or F64 tensor as float32. F16 and BF16 convert exactly, F64 rounds to nearest.
   *
   * @throws SafetensorsError `unsupported-conversion` for other dtypes
   */
  readFloat32(name: string): Promise<Own<Float32Array>>;
  /**
   * Reads a tensor's bytes into the caller's memory, which may be shared or WebAssembly memory, without holding
   * a copy. After an error the target's content is unspecified.
   *
   * @param target exactly as long as the tensor, unless `start` is given
   * @param start the byte of the tensor to begin with; then `target.byteLength` bytes are read
   * @throws SafetensorsError `invalid-target` if the sizes do not fit
   */
  readInto(name: string, target: Uint8Array, start?: number): Promise<void>;
  /**
   * Like `readFloat32`, into the caller's memory, which may be shared or WebAssembly memory. At most another 1 MiB is held
   * besides. After an error the target's content is unspecified.
   *
   * @param target exactly as long as the tensor has elements, unless `start` is given
   * @param start the element of the tensor to begin with; then `target.length` elements are read
   * @throws SafetensorsError `invalid-target` if the sizes do not fit, `unsupported-conversion`
   */
  readFloat32Into(name: string, target: Float32Array, start?: number): Promise<void>;
  /**
   * Says what will be read next, each tensor once and best in this order. From a URL it is then requested ahead: neighbouring
   * tensors in one request of several MiB, four requests at once, and never more than 64 MiB that wait to be read. From elsewhere
   * it changes nothing. Another call replaces the plan, closing ends it.
   *
   * @throws SafetensorsError `tensor-not-found`
   */
  prefetch?(names: readonly string[]): Promise<void>;
  /** Releases the file. Reading afterwards is an error. */
  close(): Promise<void>;
}

/** Memory used for elements that are read and then converted. */
const CONVERSION_BYTES = 2 ** 20;

/** An open safetensors file: its checked header, and tensors that are read on request. */
export class SafeTensors implements TensorReader {
  readonly names: readonly string[];
  readonly metadata: Readonly<Record<string, string>> | undefined;
  readonly #source: ByteSource;
  readonly #tensors: ReadonlyMap<string, TensorInfo>;
  #buffer: Uint8Array | undefined;
  #closed = false;

  /** For `open` and `parse`. */
  constructor(source: ByteSource, header: Header) {
    this.#source = source;
    this.#tensors = header.tensors;
    this.names = Object.freeze([...header.tensors.keys()]);
    this.metadata = header.metadata;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  info(name: string): TensorInfo {
    const info = this.#tensors.get(name);
    if (info === undefined) {
      throw new SafetensorsError("tensor-not-found", `there is no tensor ${quote(name)}`, { file: this.#source.name });
    }
    return info;
  }

  async read(name: string): Promise<RawTensor> {
    const { dtype, shape, byteLength } = this.info(name);
    const bytes = this.#allocate(name, byteLength);
    await this.readInto(name, bytes);
    return rawTensor(dtype, shape, bytes);
  }

  async readFloat32(name: string): Promise<Own<Float32Array>> {
    const info = this.info(name);
    this.#floatDtype(info);
    const target = new Float32Array(this.#allocate(name, info.size * Float32Array.BYTES_PER_ELEMENT).buffer);
    await this.readFloat32Into(name, target);
    return target;
  }

  async readInto(name: string, target: Uint8Array, start?: number): Promise<void> {
    const info = this.info(name);
    this.#checkTarget(name, "bytes", info.byteLength, target.byteLength, start);
    await this.#read(info, start ?? 0, target.byteLength, target, (reader) => reader.fill(target));
  }

  async readFloat32Into(name: string, target: Float32Array, start?: number): Promise<void> {
    const info = this.info(name);
    const dtype = this.#floatDtype(info);
    this.#checkTarget(name, "elements", info.size, target.length, start);
    const elementBytes = bitsPerElement(dtype) / 8;
    const byteLength = target.length * elementBytes;
    await this.#read(info, (start ?? 0) * elementBytes, byteLength, target, async (reader) => {
      if (dtype === "F32") {
        return reader.fill(new Uint8Array(target.buffer, target.byteOffset, target.byteLength));
      }
      const buffer = this.#takeBuffer(byteLength);
      for (let done = 0; done < target.length; ) {
        const bytes = buffer.subarray(0, (target.length - done) * elementBytes);
        await reader.fill(bytes);
        const length = bytes.byteLength / elementBytes;
        convertToFloat32(dtype, bytes, target.subarray(done, done + length));
        done += length;
      }
      this.#buffer = buffer;
    });
  }

  async prefetch(names: readonly string[]): Promise<void> {
    this.plan(names.map((name, order) => ({ name, order })));
  }

  /** @internal For several files that are read as one. */
  plan(reads: readonly { readonly name: string; readonly order: number }[], ahead?: ReadAhead): void {
    const ranges = reads.map(({ name, order }) => {
      const { byteOffset, byteLength } = this.info(name);
      return { begin: byteOffset, end: byteOffset + byteLength, order };
    });
    this.#source.plan?.(ranges, ahead);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#source.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The buffer of the last conversion, unless it is in use or too small: one per tensor would pile up garbage. */
  #takeBuffer(byteLength: number): Uint8Array {
    const length = Math.min(CONVERSION_BYTES, byteLength);
    const buffer = this.#buffer;
    this.#buffer = undefined;
    return buffer !== undefined && buffer.byteLength >= length ? buffer : new Uint8Array(length);
  }

  async #read(
    info: TensorInfo,
    start: number,
    length: number,
    target: ArrayBufferView,
    use: (reader: ByteReader) => Promise<void>,
  ): Promise<void> {
    const context = { file: this.#source.name, tensor: info.name };
    if (this.#closed) throw new SafetensorsError("closed", "it is already closed", context);
    if (length === 0) return;
    const reader = this.#source.reader(info.byteOffset + start, length);
    try {
      await use(reader);
    } finally {
      await reader.close();
      if (target.byteLength === 0) {
        const detail = "the target was detached while it was being filled; did its WebAssembly memory grow?";
        // biome-ignore lint/correctness/noUnsafeFinally: the error it replaces, if any, is only a consequence
        throw new SafetensorsError("invalid-target", detail, context);
      }
    }
  }

  #floatDtype({ name, dtype }: TensorInfo) {
    if (isFloatDtype(dtype)) return dtype;
    const detail = `${dtype} does not convert to float32, only F32, F16, BF16 and F64 do`;
    throw new SafetensorsError("unsupported-conversion", detail, { file: this.#source.name, tensor: name });
  }

  #checkTarget(tensor: string, unit: string, available: number, wanted: number, start: number | undefined): void {
    const fits =
      start === undefined
        ? wanted === available
        : Number.isSafeInteger(start) && start >= 0 && start + wanted <= available;
    if (fits) return;
    const from = start === undefined ? "" : ` from ${start} on`;
    const detail = `the target holds ${wanted} ${unit}${from}, the tensor has ${available}`;
    throw new SafetensorsError("invalid-target", detail, { file: this.#source.name, tensor });
  }

  #allocate(tensor: string, byteLength: number): Own<Uint8Array> {
    try {
      return new Uint8Array(byteLength);
    } catch (cause) {
      const detail = `${byteLength} bytes cannot be allocated`;
      throw new SafetensorsError("too-large", detail, { file: this.#source.name, tensor, cause });
    }
  }
}

function rawTensor<D extends Dtype>(dtype: D, shape: readonly number[], bytes: Own<Uint8Array>): RawTensor {
  return { dtype, shape, data: viewAs(dtype, bytes) } as RawTensor;
}

/**
 * Reads the header of a safetensors file in memory. The bytes are not copied: they must not change while in use.
 *
 * @throws SafetensorsError see the codes about the file's header and one tensor's entry
 */
export function parse(data: ArrayBufferLike | ArrayBufferView): SafeTensors {
  checkPlatform();
  const bytes = bytesOf(data);
  const length = headerLength(bytes, bytes.byteLength);
  // A copy, because a decoder may refuse shared memory.
  const header = bytes.slice(LENGTH_BYTES, LENGTH_BYTES + length);
  return new SafeTensors(memorySource(data), parseHeader(header, bytes.byteLength));
}

/** Reads the header of a source and takes over the source, closing it if the header is invalid. */
export async function fromSource(source: ByteSource): Promise<SafeTensors> {
  checkPlatform();
  try {
    const first = await readBytes(source, 0, Math.min(source.size, LENGTH_BYTES));
    const length = headerLength(first, source.size, source.name);
    const header = await readBytes(source, LENGTH_BYTES, length);
    return new SafeTensors(source, parseHeader(header, source.size, source.name));
  } catch (error) {
    await source.close();
    throw error;
  }
}

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The format is little-endian, and so are all browsers; Node also runs on s390x, which is not. */
function checkPlatform(): void {
  if (!IS_LITTLE_ENDIAN) throw new SafetensorsError("unsupported-platform", "big-endian machines are not supported");
}
