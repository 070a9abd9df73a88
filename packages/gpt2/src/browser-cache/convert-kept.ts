import { serializeLazily } from "safetensors-ts";
import type { Conversion } from "../checkpoint/convert/conversion.ts";
import type { ModelFiles } from "../checkpoint/source/index.ts";
import { WEIGHTS } from "../hub/choose-files.ts";
import type { KeepingProgress } from "../hub/progress.ts";
import type { WarningListener } from "../warning.ts";
import { KeptFile } from "./kept-file.ts";
import type { Manifest } from "./model-store.ts";
import { type BrowserStorage, expectSpace, writeError } from "./storage.ts";

export interface ConvertKeptOptions {
  readonly storage: BrowserStorage;
  /** What messages call the model. */
  readonly name: string;
  readonly conversion: Conversion;
  readonly onProgress?: ((progress: KeepingProgress) => void) | undefined;
  readonly onWarning: WarningListener;
  readonly signal?: AbortSignal | undefined;
}

/** Writes a model with its matrices converted to a folder, as `gpt2 convert` does, and returns what was written. */
export async function convertKept(
  files: ModelFiles,
  folder: FileSystemDirectoryHandle,
  { storage, name, conversion, onProgress, onWarning, signal }: ConvertKeptOptions,
): Promise<Manifest["files"]> {
  const { single, index, ending } = WEIGHTS.safetensors;
  await using checkpoint = await conversion.checkpoint(files, onWarning, signal);
  const { size: total, pieces } = serializeLazily(checkpoint.tensors, checkpoint.metadata);
  const what = `${name} as ${conversion.dtype}`;
  await expectSpace(storage, what, total);
  const written: { file: string; size: number }[] = [];
  const write = async (file: string, size: number, bytes: AsyncIterable<Uint8Array>): Promise<void> => {
    const kept = await KeptFile.open(folder, file, false);
    await kept.restart(undefined);
    const writer = await kept.writer();
    for await (const piece of bytes) {
      await writer.write(piece);
      if (file === single) onProgress?.({ type: "convert", done: kept.length, total });
      signal?.throwIfAborted();
    }
    await writer.close();
    written.push({ file, size });
  };
  try {
    for (const [file, blob] of Object.entries(files)) {
      if (file !== index && !file.endsWith(ending)) await write(file, blob.size, wholly(blob));
    }
    await write(single, total, pieces);
  } catch (error) {
    throw await writeError(storage, what, total, error, signal);
  }
  return written;
}

async function* wholly(blob: Blob): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(await blob.arrayBuffer());
}
