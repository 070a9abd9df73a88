import { open, openSharded } from "safetensors-ts";
import { ModelFormatError } from "../../errors.ts";
import type { Checkpoint } from "../open-checkpoint.ts";
import type { ModelSource } from "../source/index.ts";
import { tensorFile } from "../tensor-file.ts";
import { openTorchFile, type TorchFile } from "./torch-file.ts";

/** An open checkpoint that `torch.save` wrote. */
export interface TorchCheckpoint extends AsyncDisposable {
  readonly checkpoint: Checkpoint;
  /** nanoGPT's arguments of the model, if they were saved with it. */
  readonly modelArgs: ReadonlyMap<unknown, unknown> | undefined;
  readonly warnings: readonly string[];
}

/** Opens one file of a model folder. */
export async function openTorchCheckpoint(
  source: ModelSource,
  name: string,
  signal: AbortSignal | undefined,
): Promise<TorchCheckpoint> {
  const file = await openFile(source, name, signal);
  const path = source.path(name);
  try {
    const tensors = await open(tensorFile(file.tensors), { signal });
    const { root, key } = file;
    const modelArgs = root instanceof Map ? root.get("model_args") : undefined;
    return {
      checkpoint: { path, tensors },
      modelArgs: modelArgs instanceof Map ? modelArgs : undefined,
      warnings:
        key === undefined
          ? []
          : [`${path}: the state dict under ${JSON.stringify(key)} is converted, and nothing else`],
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Opens the shards that an index names, each when the first of its tensors is asked for. */
export async function openTorchShards(
  source: ModelSource,
  name: string,
  signal: AbortSignal | undefined,
): Promise<TorchCheckpoint> {
  const index = await source.file(name);
  if (index === undefined) throw new ModelFormatError(source.path(name), "there is no such file");
  const opened: TorchFile[] = [];
  const shard = async (shardName: string) => {
    const file = await openFile(source, shardName, signal, "missing: the index names it as a shard");
    opened.push(file);
    return tensorFile(file.tensors);
  };
  return {
    checkpoint: { path: source.path(name), tensors: await openSharded(index, { signal, shard }) },
    modelArgs: undefined,
    warnings: [],
    [Symbol.asyncDispose]: async () => {
      for (const file of opened) await file.close();
    },
  };
}

async function openFile(
  source: ModelSource,
  name: string,
  signal: AbortSignal | undefined,
  ifMissing = "there is no such file",
): Promise<TorchFile> {
  const file = await source.file(name);
  if (file === undefined) throw new ModelFormatError(source.path(name), ifMissing);
  return openTorchFile(file, source.path(name), signal);
}
