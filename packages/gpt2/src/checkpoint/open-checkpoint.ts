import { type OpenOptions, open, openSharded, SafetensorsError, type Source, type TensorReader } from "safetensors-ts";
import { ModelFormatError } from "../errors.ts";
import { foreignContent } from "./source/foreign-content.ts";
import type { ModelSource } from "./source/index.ts";
import { adviceFor } from "./source/what-is-there.ts";

/** An open checkpoint. */
export interface Checkpoint {
  /** What messages call it. */
  readonly path: string;
  readonly tensors: TensorReader;
}

export const SINGLE_FILE = "model.safetensors";
export const INDEX_FILE = "model.safetensors.index.json";

/** The checkpoint of a model folder: `model.safetensors`, or the shards that `model.safetensors.index.json` names. */
export async function openCheckpoint(source: ModelSource, options: OpenOptions): Promise<Checkpoint> {
  for (const name of [SINGLE_FILE, INDEX_FILE]) {
    const checkpoint = await openSafetensors(source, name, options);
    if (checkpoint) return checkpoint;
  }
  const message = `there is neither ${SINGLE_FILE} nor ${INDEX_FILE}`;
  const absence = source.absence?.(SINGLE_FILE);
  const advice = absence ? `for ${SINGLE_FILE}: ${absence}` : await adviceFor(source);
  throw new ModelFormatError(source.name, advice === undefined ? message : `${message}; ${advice}`);
}

/** The checkpoint in a safetensors file of this name, or in the shards that an index of this name lists; undefined without one. */
export async function openSafetensors(
  source: ModelSource,
  name: string,
  options: OpenOptions,
): Promise<Checkpoint | undefined> {
  const file = await source.file(name);
  if (file === undefined) return undefined;
  const path = source.path(name);
  const isIndex = name.endsWith(".json");
  const { stallTimeout } = source;
  const reading = { stallTimeout, ...options };
  const opening = isIndex ? openSharded(file, { ...reading, shard: shardsOf(source) }) : open(file, reading);
  const tensors = await opening.catch(async (error: unknown) => {
    if (!(error instanceof SafetensorsError)) throw error;
    const beginning = await beginningOf(file);
    const foreign = beginning === "" ? "the file is empty" : foreignContent(beginning ?? "");
    if (foreign !== undefined) throw new ModelFormatError(path, foreign, undefined, { cause: error });
    throw isIndex ? error : named(error, path);
  });
  return { path, tensors };
}

function shardsOf(source: ModelSource) {
  return async (name: string): Promise<Source> => {
    const file = await source.file(name);
    if (file === undefined) throw new ModelFormatError(source.path(name), "missing: the index names it as a shard");
    const foreign = foreignContent((await beginningOf(file)) ?? ""); // of a folder without git lfs
    if (foreign !== undefined) throw new ModelFormatError(source.path(name), foreign);
    return file;
  };
}

/** Files that have a name keep it: safetensors errors mention it. */
function named(error: SafetensorsError, path: string): Error {
  return error.file === undefined ? new ModelFormatError(path, error.message, error.tensor, { cause: error }) : error;
}

const BEGINNING_BYTES = 512;

/** The first characters of a file or Blob; undefined if it cannot be read. (What a URL leads to, its source has looked at.) */
async function beginningOf(file: Source): Promise<string | undefined> {
  try {
    if (file instanceof Blob) return await file.slice(0, BEGINNING_BYTES).text();
    if (file instanceof URL) return undefined;
    const handle = await globalThis.process?.getBuiltinModule?.("node:fs/promises").open(String(file));
    if (!handle) return undefined;
    try {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(BEGINNING_BYTES), 0, BEGINNING_BYTES, 0);
      return new TextDecoder().decode(buffer.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch {
    return undefined; // then the first error is all that is known
  }
}
