import { showValue } from "@gpt2-ts/tensor/options";
import { type OpenOptions, open, openSharded, SafetensorsError, type Source, type TensorReader } from "safetensors-ts";
import { ModelFormatError } from "../errors.ts";

/** A model folder, wherever it is: laid out as on the Hugging Face Hub. */
export interface ModelSource {
  /** What messages call it. */
  readonly name: string;
  /** What messages call one of its files. */
  path(file: string): string;
  /** A file to read from, or undefined if the folder has no such file. */
  file(name: string): Promise<Source | undefined>;
  /** A small file's text, or undefined if the folder has no such file. */
  text(name: string): Promise<string | undefined>;
}

/** Files by name, as from a file picker or a drop: `{ "config.json": file, … }`. */
export type ModelFiles = Readonly<Record<string, Blob>>;

/**
 * The folder at a path or `file` URL (Node), at an `http(s)` URL, or given as files. In a browser a string is a URL, which
 * may be relative to the page. Throws {@link ModelFormatError} if a path leads to no folder.
 */
export async function modelSource(where: string | URL | ModelFiles, signal?: AbortSignal): Promise<ModelSource> {
  if (typeof where !== "string" && !isUrl(where)) {
    if (typeof where === "object" && where !== null && !Array.isArray(where)) return filesSource(where);
    throw new TypeError(`load: expected the path of a folder, a URL, or files by name, got ${showValue(where)}`);
  }
  const isInNode = globalThis.process?.getBuiltinModule !== undefined;
  if (/^https?:/i.test(String(where)) || (!isInNode && typeof where === "string")) {
    return urlSource(parseUrl(where), signal);
  }
  return folderSource(where);
}

/** By what it is: a URL of another realm (Jest's, a `vm`'s) has another constructor. */
function isUrl(value: unknown): value is URL {
  return Object.prototype.toString.call(value) === "[object URL]";
}

function parseUrl(where: string | URL): URL {
  try {
    return new URL(where, globalThis.location?.href);
  } catch (cause) {
    throw new ModelFormatError(String(where), "not a valid URL", undefined, { cause });
  }
}

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

function filesSource(files: ModelFiles): ModelSource {
  const find = (name: string): Blob | undefined => (Object.hasOwn(files, name) ? files[name] : undefined);
  return {
    name: "the model's files",
    path: (file) => file,
    file: async (name) => find(name),
    text: async (name) => find(name)?.text(),
  };
}

function urlSource(folder: URL, signal: AbortSignal | undefined): ModelSource {
  const at = (file: string): URL => {
    const url = new URL(folder);
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/${file}`;
    return url;
  };
  const request = async (name: string, headers: Record<string, string>): Promise<Response | undefined> => {
    const response = await fetch(at(name), { headers, ...(signal && { signal }) }).catch((cause: unknown) => {
      signal?.throwIfAborted();
      throw new ModelFormatError(at(name).href, "the request failed", undefined, { cause });
    });
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status === 404) return undefined;
    throw new ModelFormatError(at(name).href, `HTTP status ${response.status}`);
  };
  /** Whether the file exists. Asks for its first byte, because the signed URLs that hubs redirect to refuse HEAD. */
  const exists = async (name: string): Promise<boolean> => {
    const response = await request(name, { range: "bytes=0-0" });
    await response?.body?.cancel();
    return response !== undefined;
  };
  return {
    name: folder.href,
    path: (file) => at(file).href,
    file: async (name) => ((await exists(name)) ? at(name) : undefined),
    text: async (name) => (await request(name, {}))?.text(),
  };
}

async function folderSource(where: string | URL): Promise<ModelSource> {
  // Not imported: bundlers for browsers would have to resolve it.
  const files = globalThis.process?.getBuiltinModule?.("node:fs/promises");
  const paths = globalThis.process?.getBuiltinModule?.("node:path");
  const urls = globalThis.process?.getBuiltinModule?.("node:url");
  if (!files || !paths || !urls) {
    throw new ModelFormatError(String(where), "folders can only be read in Node; give a URL or files");
  }
  const folder = isUrl(where) ? urls.fileURLToPath(where) : where;
  const stats = await files.stat(folder).catch((cause: unknown) => {
    throw new ModelFormatError(folder, "there is no such folder", undefined, { cause });
  });
  if (!stats.isDirectory()) throw new ModelFormatError(folder, "not a folder");
  const path = (file: string): string => paths.join(folder, file);
  const missing = (error: NodeJS.ErrnoException): undefined => {
    if (error.code !== "ENOENT") throw error;
  };
  return {
    name: folder,
    path,
    file: async (name) => ((await files.stat(path(name)).catch(missing)) ? path(name) : undefined),
    text: (name) => files.readFile(path(name), "utf8").catch(missing),
  };
}
