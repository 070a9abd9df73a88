import { readBytes } from "./byte-source.ts";
import { quote, SafetensorsError, type SafetensorsErrorCode } from "./errors.ts";
import { MAX_HEADER_BYTES, type TensorInfo } from "./header.ts";
import { ReadAhead } from "./http/read-ahead.ts";
import { download } from "./http/source.ts";
import { JsonError, JsonReader } from "./json-reader.ts";
import { nodeModule } from "./node-modules.ts";
import { type OpenOptions, open, type Source, toByteSource, toLocation } from "./open.ts";
import type { Own } from "./own.ts";
import type { RawTensor, SafeTensors, TensorReader } from "./safetensors.ts";

export interface OpenShardedOptions extends OpenOptions {
  /** Finds a shard by its name in the index. Default: beside the index. */
  readonly shard?: ((fileName: string) => Source | Promise<Source>) | undefined;
}

/**
 * Opens a checkpoint that is split over several files by its index, `model.safetensors.index.json`. A shard is opened
 * when the first of its tensors is asked for, and checked against the index then.
 *
 * @throws SafetensorsError `invalid-index`, `duplicate-key`; later, when a shard is opened, `missing-shard`,
 *   `missing-from-shard`, `duplicate-tensor` and the codes of `open`
 */
export async function openSharded(index: Source, options: OpenShardedOptions = {}): Promise<ShardedSafeTensors> {
  const { file, text } = await readIndex(index, options);
  return new ShardedSafeTensors(file, parseIndex(text, file), options.shard ?? besides(index, file), options);
}

/** A checkpoint of several files, read as if it were one. */
export class ShardedSafeTensors implements TensorReader {
  /** Shard by shard, each in the order of the index. */
  readonly names: readonly string[];
  /** Undefined: only the shards have string metadata, each its own. */
  readonly metadata: undefined = undefined;
  readonly #file: string | undefined;
  readonly #shardOf: ReadonlyMap<string, string>;
  readonly #find: (fileName: string) => Source | Promise<Source>;
  readonly #options: OpenOptions;
  readonly #shards = new Map<string, Promise<SafeTensors>>();
  #closed = false;

  /** For `openSharded`. */
  constructor(
    file: string | undefined,
    shardOf: ReadonlyMap<string, string>,
    find: (fileName: string) => Source | Promise<Source>,
    options: OpenOptions,
  ) {
    this.#file = file;
    this.#shardOf = shardOf;
    this.#find = find;
    this.#options = options;
    this.names = Object.freeze([...byShard(shardOf).values()].flat());
  }

  has(name: string): boolean {
    return this.#shardOf.has(name);
  }

  async info(name: string): Promise<TensorInfo> {
    return (await this.#shardWith(name)).info(name);
  }

  async read(name: string): Promise<RawTensor> {
    return (await this.#shardWith(name)).read(name);
  }

  async readFloat32(name: string): Promise<Own<Float32Array>> {
    return (await this.#shardWith(name)).readFloat32(name);
  }

  async readInto(name: string, target: Uint8Array, start?: number): Promise<void> {
    return (await this.#shardWith(name)).readInto(name, target, start);
  }

  async readFloat32Into(name: string, target: Float32Array, start?: number): Promise<void> {
    return (await this.#shardWith(name)).readFloat32Into(name, target, start);
  }

  async prefetch(names: readonly string[]): Promise<void> {
    const ahead = new ReadAhead();
    const reads = new Map<SafeTensors, { name: string; order: number }[]>();
    for (const [order, name] of names.entries()) {
      const shard = await this.#shardWith(name);
      reads.set(shard, [...(reads.get(shard) ?? []), { name, order }]);
    }
    for (const [shard, planned] of reads) shard.plan(planned, ahead);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opened = await Promise.allSettled(this.#shards.values());
    this.#shards.clear();
    await Promise.all(opened.map((shard) => (shard.status === "fulfilled" ? shard.value.close() : undefined)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #shardWith(tensor: string): Promise<SafeTensors> {
    const fileName = this.#shardOf.get(tensor);
    if (this.#closed || fileName === undefined) {
      const code = this.#closed ? "closed" : "tensor-not-found";
      const detail = this.#closed ? "it is already closed" : `there is no tensor ${quote(tensor)}`;
      return Promise.reject(new SafetensorsError(code, detail, { file: this.#file }));
    }
    let shard = this.#shards.get(fileName);
    if (shard === undefined) {
      shard = this.#openShard(fileName);
      this.#shards.set(fileName, shard);
      // A shard that could not be opened may be asked for again, once the cause is gone.
      shard.catch(() => this.#shards.delete(fileName));
    }
    return shard;
  }

  async #openShard(fileName: string): Promise<SafeTensors> {
    const shard = await this.#openFile(fileName);
    try {
      this.#check(shard, fileName);
    } catch (error) {
      await shard.close();
      throw error;
    }
    return shard;
  }

  async #openFile(fileName: string): Promise<SafeTensors> {
    try {
      return await open(await this.#find(fileName), this.#options);
    } catch (cause) {
      if (!(cause instanceof SafetensorsError) || !MEANS_MISSING.has(cause.code)) throw cause;
      throw new SafetensorsError("missing-shard", `cannot open its shard ${quote(fileName)}`, {
        file: this.#file,
        cause,
      });
    }
  }

  #check(shard: SafeTensors, fileName: string): void {
    for (const [tensor, listed] of this.#shardOf) {
      if (listed === fileName && !shard.has(tensor)) {
        const detail = `the index says that it is in ${quote(fileName)}, but it is not`;
        throw new SafetensorsError("missing-from-shard", detail, { file: this.#file, tensor });
      }
    }
    for (const tensor of shard.names) {
      const listed = this.#shardOf.get(tensor);
      if (listed !== undefined && listed !== fileName) {
        const detail = `it is in ${quote(fileName)}, but the index says that it is in ${quote(listed)}`;
        throw new SafetensorsError("duplicate-tensor", detail, { file: this.#file, tensor });
      }
    }
  }
}

/** The tensors of each shard. */
function byShard(shardOf: ReadonlyMap<string, string>): Map<string, string[]> {
  const tensors = new Map<string, string[]>();
  for (const [tensor, shard] of shardOf) {
    const others = tensors.get(shard);
    if (others === undefined) tensors.set(shard, [tensor]);
    else others.push(tensor);
  }
  return tensors;
}

const MEANS_MISSING: ReadonlySet<SafetensorsErrorCode> = new Set(["read-failed", "invalid-source", "http-status"]);

async function readIndex(index: Source, options: OpenOptions) {
  const location = toLocation(index);
  if (typeof location === "object") {
    const { file, bytes } = await download(location, MAX_HEADER_BYTES, options);
    return { file, text: decode(bytes, file) };
  }
  const source = await toByteSource(index, options);
  const file = source.name;
  try {
    if (source.size > MAX_HEADER_BYTES) {
      const detail = `an index of ${source.size} bytes is over the limit of ${MAX_HEADER_BYTES}`;
      throw new SafetensorsError("invalid-index", detail, { file });
    }
    return { file, text: decode(await readBytes(source, 0, source.size), file) };
  } finally {
    await source.close();
  }
}

function decode(bytes: Uint8Array, file: string | undefined): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SafetensorsError("invalid-index", "it is not valid UTF-8", { file, cause });
  }
}

/** The shards' file names by tensor name, in the order of the index. */
function parseIndex(text: string, file: string | undefined): Map<string, string> {
  const invalid = (detail: string, tensor?: string) => new SafetensorsError("invalid-index", detail, { file, tensor });
  const shardOf = new Map<string, string>();
  let hasWeightMap = false;
  try {
    const json = new JsonReader(text);
    if (json.peek() !== "object") throw invalid(`expected a JSON object, got ${json.peek()}`);
    json.object(
      (key) => {
        if (key !== "weight_map") return json.skip();
        hasWeightMap = true;
        if (json.peek() !== "object") throw invalid(`expected its weight_map to be an object, got ${json.peek()}`);
        json.object(
          (tensor) => {
            if (json.peek() !== "string")
              throw invalid(`expected its shard to be a string, got ${json.peek()}`, tensor);
            const fileName = json.string();
            if (!isPlainFileName(fileName)) {
              throw invalid(`its shard ${quote(fileName)} is not a plain file name`, tensor);
            }
            shardOf.set(tensor, fileName);
          },
          (tensor) => shardOf.has(tensor),
        );
      },
      (key) => hasWeightMap && key === "weight_map",
    );
    json.end();
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    const code = cause.duplicate === undefined ? "invalid-index" : "duplicate-key";
    throw new SafetensorsError(code, cause.message, { file, tensor: cause.duplicate, cause });
  }
  if (!hasWeightMap) throw invalid("it has no weight_map");
  return shardOf;
}

/** A name that cannot lead out of the folder of the index, on any system. */
function isPlainFileName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\\:?#%\0]/.test(name);
}

function besides(index: Source, file: string | undefined): (fileName: string) => Source {
  const location = toLocation(index);
  if (location === undefined) {
    const detail = "an index in memory does not say where its shards are: pass the option `shard`";
    throw new SafetensorsError("invalid-source", detail, { file });
  }
  if (typeof location === "object") {
    return (fileName) => {
      const url = new URL(fileName, location);
      // Keep the query of signed URLs and tokens, which grants access.
      url.search = location.search;
      return url;
    };
  }
  const path = nodeModule("node:path");
  return (fileName) => path?.join(path.dirname(location), fileName) ?? fileName;
}
