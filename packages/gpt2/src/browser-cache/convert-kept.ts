import { serializeLazily } from "safetensors-ts";
import { newTensors } from "../checkpoint/convert/new-tensors.ts";
import { loadConfig } from "../checkpoint/load.ts";
import { INDEX_FILE, openCheckpoint, SINGLE_FILE } from "../checkpoint/open-checkpoint.ts";
import { type ConvertedDtype, convertedTo, metadataFor } from "../checkpoint/quantization.ts";
import { type ModelFiles, modelSource } from "../checkpoint/source/index.ts";
import { StoredWeights } from "../checkpoint/stored-weights.ts";
import type { KeepingProgress } from "../hub/progress.ts";
import type { WarningListener } from "../warning.ts";
import { KeptFile } from "./kept-file.ts";
import type { Manifest } from "./model-store.ts";
import { type BrowserStorage, expectSpace, writeError } from "./storage.ts";

export interface ConvertKeptOptions {
  readonly storage: BrowserStorage;
  /** What messages call the model. */
  readonly name: string;
  readonly dtype: ConvertedDtype;
  readonly onProgress?: ((progress: KeepingProgress) => void) | undefined;
  readonly onWarning: WarningListener;
  readonly signal?: AbortSignal | undefined;
}

/** What a checkpoint says that it was converted to. */
export async function storedDtype(files: ModelFiles, signal?: AbortSignal): Promise<ConvertedDtype | undefined> {
  const { path, tensors } = await openCheckpoint(await modelSource(files), { signal });
  try {
    return convertedTo(tensors.metadata, path);
  } finally {
    await tensors.close();
  }
}

/** Writes a model with its matrices converted to a folder, as `gpt2 convert` does, and returns what was written. */
export async function convertKept(
  files: ModelFiles,
  folder: FileSystemDirectoryHandle,
  { storage, name, dtype, onProgress, onWarning, signal }: ConvertKeptOptions,
): Promise<Manifest["files"]> {
  const source = await modelSource(files);
  const checkpoint = await openCheckpoint(source, { signal });
  try {
    const weights = await StoredWeights.of(checkpoint, await loadConfig(source), onWarning);
    const tensors = await newTensors(weights, dtype, { signal });
    const { size: total, pieces } = serializeLazily(tensors, metadataFor(dtype));
    await expectSpace(storage, `${name} as ${dtype}`, total);
    const written: { file: string; size: number }[] = [];
    const write = async (file: string, size: number, bytes: AsyncIterable<Uint8Array>): Promise<void> => {
      const kept = await KeptFile.open(folder, file, false);
      await kept.restart(undefined);
      const writer = await kept.writer();
      for await (const piece of bytes) {
        await writer.write(piece);
        if (file === SINGLE_FILE) onProgress?.({ type: "convert", done: kept.length, total });
        signal?.throwIfAborted();
      }
      await writer.close();
      written.push({ file, size });
    };
    try {
      for (const [file, blob] of Object.entries(files)) {
        if (file === INDEX_FILE || file.endsWith(".safetensors")) continue;
        await write(file, blob.size, wholly(blob));
      }
      await write(SINGLE_FILE, total, pieces);
    } catch (error) {
      throw await writeError(storage, `${name} as ${dtype}`, total, error);
    }
    return written;
  } finally {
    await checkpoint.tensors.close();
  }
}

async function* wholly(blob: Blob): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(await blob.arrayBuffer());
}
