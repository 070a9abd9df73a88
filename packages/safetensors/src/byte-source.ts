import { SafetensorsError } from "./errors.ts";
import type { PlannedRange, ReadAhead } from "./http/read-ahead.ts";

/** Bytes that can be read at any position: memory, a file, a URL. */
export interface ByteSource {
  /** Path, URL or file name, for messages. */
  readonly name: string | undefined;
  readonly size: number;
  /** Reads `length` bytes from `position` on, both within `size`. */
  reader(position: number, length: number): ByteReader;
  /** Requests what will be read before it is read. Only a source has it for which that is faster; a new plan replaces the last. */
  plan?(ranges: readonly PlannedRange[], ahead?: ReadAhead): void;
  close(): Promise<void>;
}

/** Reads consecutive bytes; close it when done, even before the end. */
export interface ByteReader {
  /** Fills the whole target with the next bytes, or throws. The target may lie in shared memory. */
  fill(target: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Bytes in memory, read without copying the whole. */
export function memorySource(data: ArrayBufferLike | ArrayBufferView): ByteSource {
  const bytes = bytesOf(data);
  return {
    name: undefined,
    size: bytes.byteLength,
    reader: (position) => ({
      async fill(target) {
        target.set(bytes.subarray(position, position + target.byteLength));
        position += target.byteLength;
      },
      async close() {},
    }),
    async close() {},
  };
}

/** The bytes behind a buffer or any view of one, without a copy. */
export function bytesOf(data: ArrayBufferLike | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

/** The first buffer of `readBytes`; it doubles as bytes arrive. */
const FIRST_BUFFER_BYTES = 2 ** 20;

/** Reads a part of a source that may claim more bytes than it has: memory grows with the bytes that arrive. */
export async function readBytes(source: ByteSource, position: number, length: number): Promise<Uint8Array> {
  const reader = source.reader(position, length);
  try {
    let bytes = new Uint8Array(Math.min(length, FIRST_BUFFER_BYTES));
    await reader.fill(bytes);
    while (bytes.byteLength < length) {
      const longer = new Uint8Array(Math.min(length, 2 * bytes.byteLength));
      longer.set(bytes);
      await reader.fill(longer.subarray(bytes.byteLength));
      bytes = longer;
    }
    return bytes;
  } finally {
    await reader.close();
  }
}

/** How much of a Blob is held in memory while a tensor is read from it. */
const BLOB_PIECE_BYTES = 4 * 2 ** 20;

/** A Blob, or a File that the user chose in a browser. */
export function blobSource(blob: Blob): ByteSource {
  const name = "name" in blob && typeof blob.name === "string" ? blob.name : undefined;
  return {
    name,
    size: blob.size,
    reader: (position) => ({
      async fill(target) {
        for (let done = 0; done < target.byteLength; ) {
          const length = Math.min(BLOB_PIECE_BYTES, target.byteLength - done);
          const piece = await readBlob(blob.slice(position, position + length), name);
          if (piece.byteLength !== length) {
            const detail = `byte ${position + piece.byteLength} of ${blob.size} is missing: was the file changed?`;
            throw new SafetensorsError("truncated", detail, { file: name });
          }
          target.set(piece, done);
          done += length;
          position += length;
        }
      },
      async close() {},
    }),
    async close() {},
  };
}

async function readBlob(blob: Blob, file: string | undefined): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    throw new SafetensorsError("read-failed", "the file cannot be read", { file, cause });
  }
}
