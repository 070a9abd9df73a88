import { type FileHandle, open } from "node:fs/promises";
import type { Source } from "safetensors-ts";
import { ModelFormatError } from "../../errors.ts";

/** An open file whose bytes can be read anywhere. */
export interface FileBytes {
  /** What messages call it. */
  readonly path: string;
  readonly size: number;
  /** Reads bytes that lie within `size`. */
  read(position: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  readInto(position: number, target: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Shorter reads let an abort through. */
const MAX_READ_BYTES = 16 * 2 ** 20;

/** Opens a file at a path, or a Blob. Throws {@link ModelFormatError} for other sources, and for a file that cannot be read. */
export async function openBytes(source: Source, path: string, signal: AbortSignal | undefined): Promise<FileBytes> {
  if (typeof source === "string") return fileBytes(source, path, signal);
  if (source instanceof Blob) return blobBytes(source, path, signal);
  throw new ModelFormatError(path, "PyTorch's files are read from a folder on this machine only: download it first");
}

async function fileBytes(file: string, path: string, signal: AbortSignal | undefined): Promise<FileBytes> {
  const failed = (cause: NodeJS.ErrnoException): never => {
    throw new ModelFormatError(path, `the file cannot be read (${cause.code})`, undefined, { cause });
  };
  const handle: FileHandle = await open(file).catch(failed);
  const { size } = await handle.stat().catch(failed);
  const readSome = async (target: Uint8Array, position: number): Promise<number> =>
    (await handle.read(target, 0, target.length, position).catch(failed)).bytesRead;
  return { ...bytesBy(readSome, path, size, signal), close: () => handle.close() };
}

function blobBytes(blob: Blob, path: string, signal: AbortSignal | undefined): FileBytes {
  const readSome = async (target: Uint8Array, position: number): Promise<number> => {
    const piece = await blob.slice(position, position + target.length).arrayBuffer();
    target.set(new Uint8Array(piece));
    return piece.byteLength;
  };
  return { ...bytesBy(readSome, path, blob.size, signal), close: async () => {} };
}

function bytesBy(
  readSome: (target: Uint8Array, position: number) => Promise<number>,
  path: string,
  size: number,
  signal: AbortSignal | undefined,
): Omit<FileBytes, "close"> {
  const readInto = async (position: number, target: Uint8Array): Promise<void> => {
    for (let done = 0; done < target.length; ) {
      signal?.throwIfAborted();
      const count = await readSome(target.subarray(done, done + MAX_READ_BYTES), position + done);
      if (count === 0) throw new ModelFormatError(path, `it ends at byte ${position + done}, before its time`);
      done += count;
    }
  };
  const read = async (position: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    const target = new Uint8Array(length);
    await readInto(position, target);
    return target;
  };
  return { path, size, read, readInto };
}

/** The bytes as a view that reads numbers. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** An unsigned integer of 8 bytes, the lowest first. One past 2^53 is not exact, but larger than any file. */
export function uint64At(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}
