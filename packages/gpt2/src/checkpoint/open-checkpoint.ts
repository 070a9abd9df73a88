import { type OpenOptions, open, openSharded, SafetensorsError, type Source, type TensorReader } from "safetensors-ts";
import { ModelFormatError } from "../errors.ts";
import type { ModelSource } from "./source/index.ts";

/** An open checkpoint. */
export interface Checkpoint {
  /** What messages call it. */
  readonly path: string;
  readonly tensors: TensorReader;
}

/** The checkpoint of a model folder: `model.safetensors`, or the shards that `model.safetensors.index.json` names. */
export async function openCheckpoint(source: ModelSource, options: OpenOptions): Promise<Checkpoint> {
  const singleFile = "model.safetensors";
  const indexFile = "model.safetensors.index.json";
  const single = await source.file(singleFile);
  if (single !== undefined) {
    const path = source.path(singleFile);
    return { path, tensors: await open(single, options).catch((error: unknown) => named(error, path)) };
  }
  const index = await source.file(indexFile);
  if (index !== undefined) {
    const shard = async (name: string): Promise<Source> => {
      const file = await source.file(name);
      if (file === undefined) throw new ModelFormatError(source.path(name), "missing: the index names it as a shard");
      return file;
    };
    return { path: source.path(indexFile), tensors: await openSharded(index, { ...options, shard }) };
  }
  throw new ModelFormatError(source.name, `there is neither ${singleFile} nor ${indexFile}`);
}

/** Files that have a name keep it: safetensors errors mention it. */
function named(error: unknown, path: string): never {
  if (error instanceof SafetensorsError && error.file === undefined) {
    throw new ModelFormatError(path, error.message, error.tensor, { cause: error });
  }
  throw error;
}
