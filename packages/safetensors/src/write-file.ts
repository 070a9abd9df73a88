import { SafetensorsError } from "./errors.ts";
import { nodeModule } from "./node-modules.ts";
import type { MetadataInput, TensorInputs } from "./serialize.ts";
import { type LazyTensorData, serializeLazily } from "./serialize-lazily.ts";

export interface WriteOptions {
  /** Stops writing, which then rejects with the signal's reason and leaves nothing behind. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Where the file is written before it is renamed: a path in the same folder that nobody else uses. Default: the path with a
   * random ending. A process that is killed leaves it; who chooses the name can find it again.
   */
  readonly temporary?: string | undefined;
}

/** Shorter writes let an abort through. */
const MAX_WRITE_BYTES = 16 * 2 ** 20;

/**
 * Writes a safetensors file tensor by tensor, with the bytes of `serialize`. It is written under a temporary name in the
 * same folder, flushed to the disk and then renamed: at `path` is either what was there before or the whole new file.
 * Node only.
 *
 * @throws SafetensorsError those of `serialize`, and `write-failed`
 */
export async function writeFile(
  path: string,
  tensors: TensorInputs<LazyTensorData>,
  metadata?: MetadataInput,
  { signal, temporary }: WriteOptions = {},
): Promise<void> {
  const fs = nodeModule("node:fs/promises");
  const randomUUID = nodeModule("node:crypto")?.randomUUID;
  if (fs === undefined || randomUUID === undefined) {
    throw new SafetensorsError("write-failed", "files can only be written in Node; use serialize()", { file: path });
  }
  const { pieces } = serializeLazily(tensors, metadata);
  signal?.throwIfAborted();

  temporary ??= `${path}.${randomUUID()}.tmp`;
  const failed = (cause: NodeJS.ErrnoException) => {
    throw new SafetensorsError("write-failed", `the file cannot be written (${cause.code})`, { file: path, cause });
  };
  const handle = await fs.open(temporary, "wx").catch(failed);
  const write = async (bytes: Uint8Array) => {
    for (let done = 0; done < bytes.byteLength; ) {
      signal?.throwIfAborted();
      const length = Math.min(MAX_WRITE_BYTES, bytes.byteLength - done);
      done += (await handle.write(bytes, done, length).catch(failed)).bytesWritten;
    }
  };
  try {
    try {
      for await (const piece of pieces) await write(piece);
      await handle.sync().catch(failed);
    } finally {
      await handle.close();
    }
    signal?.throwIfAborted();
    await fs.rename(temporary, path).catch(failed);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  }
}
