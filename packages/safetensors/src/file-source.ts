import type { ByteSource } from "./byte-source.ts";
import { SafetensorsError } from "./errors.ts";
import { nodeModule } from "./node-modules.ts";

/** The part of a Node `FileHandle` that is used. */
export interface FileHandleLike {
  stat(): Promise<{ readonly size: number; readonly mtimeMs?: number; isFile(): boolean }>;
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
  const unopened = (cause: unknown): never => {
    throw new SafetensorsError("read-failed", "the file cannot be opened", { file: path, cause });
  };
  // Before it is opened, because opening a named pipe waits for a writer.
  checkRegular(await fs.stat(path).catch(unopened), path);
  const handle = await fs.open(path, "r").catch(unopened);
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
  checkRegular(stat, name);
  const { size } = stat;
  /** Throws if the file was written to since it was opened: what was read so far may not belong to the rest. */
  const checkUnchanged = async (): Promise<void> => {
    const now = await handle.stat().catch((cause: unknown) => {
      throw failed(cause);
    });
    if (now.size === size && now.mtimeMs === stat.mtimeMs) return;
    throw new SafetensorsError("source-changed", "the file changed while it was being read", { file: name });
  };
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
        await checkUnchanged();
      },
      async close() {},
    }),
    async close() {},
  };
}

function checkRegular(stat: { isFile(): boolean }, file: string | undefined): void {
  if (!stat.isFile()) throw new SafetensorsError("invalid-source", "this is not a regular file", { file });
}
