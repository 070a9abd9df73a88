import type { ByteSource } from "./byte-source.ts";
import { SafetensorsError } from "./errors.ts";
import { nodeModule } from "./node-modules.ts";

/** The part of a Node `FileHandle` that is used. */
export interface FileHandleLike {
  stat(): Promise<{ readonly size: number; isFile(): boolean }>;
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
}

/** Linux reads at most 2 GiB at once; shorter reads also let an abort through. */
const MAX_READ_BYTES = 16 * 2 ** 20;

/** Opens the file at a path; closing the source closes it. Node only. */
export async function pathSource(path: string, signal: AbortSignal | undefined): Promise<ByteSource> {
  const fs = nodeModule("node:fs/promises");
  if (fs === undefined) {
    throw new SafetensorsError("invalid-source", "paths can only be opened in Node; pass a URL or a File", {
      file: path,
    });
  }
  const handle = await fs.open(path, "r").catch((cause: unknown) => {
    throw new SafetensorsError("read-failed", "the file cannot be opened", { file: path, cause });
  });
  try {
    const source = await handleSource(handle, signal, path);
    return { ...source, close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Reads through a handle that the caller keeps: closing the source does not close it. */
export async function handleSource(
  handle: FileHandleLike,
  signal: AbortSignal | undefined,
  name?: string,
): Promise<ByteSource> {
  const failed = (cause: unknown) =>
    new SafetensorsError("read-failed", "the file cannot be read", { file: name, cause });
  const stat = await handle.stat().catch((cause: unknown) => {
    throw failed(cause);
  });
  if (!stat.isFile()) throw new SafetensorsError("invalid-source", "this is not a regular file", { file: name });
  const { size } = stat;
  return {
    name,
    size,
    reader: (position) => ({
      async fill(target) {
        for (let done = 0; done < target.byteLength; ) {
          signal?.throwIfAborted();
          const length = Math.min(MAX_READ_BYTES, target.byteLength - done);
          const { bytesRead } = await handle.read(target, done, length, position).catch((cause: unknown) => {
            throw failed(cause);
          });
          if (bytesRead === 0) {
            const detail = `it ends at byte ${position}, but had ${size} bytes when it was opened`;
            throw new SafetensorsError("truncated", detail, { file: name });
          }
          done += bytesRead;
          position += bytesRead;
        }
      },
      async close() {},
    }),
    async close() {},
  };
}
