import { SafetensorsError } from "./errors.ts";
import { nodeModule } from "./node-modules.ts";
import { layOut, type MetadataInput, type TensorData, type TensorInputs, tensorBytes } from "./serialize.ts";

/** A tensor's data, or a function that makes it when it is its turn, so that not all of it exists at once. */
export type LazyTensorData = TensorData | (() => TensorData | Promise<TensorData>);

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
  const layout = layOut(tensors, metadata);
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
      await write(layout.head);
      for (const tensor of layout.tensors) {
        const { data } = tensor;
        await write(tensorBytes(tensor, typeof data === "function" ? await data() : data));
      }
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
