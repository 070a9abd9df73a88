import { TOKENIZER_FILES } from "../tokenizer-files.ts";
import { HubError } from "./error.ts";
import type { RemoteFile, RemoteTree } from "./listing.ts";
import { checkFileName } from "./names.ts";

export const CONFIG_FILE = "config.json";
/** What has to be there, unless there is a tokenizer.json. */
export const VOCABULARY_FILES: readonly string[] = ["vocab.json", "merges.txt"];
export const WEIGHTS_FILE = "model.safetensors";
export const WEIGHTS_INDEX_FILE = "model.safetensors.index.json";
const OPTIONAL_FILES = ["generation_config.json"] as const;

const OTHER_WEIGHTS = [".bin", ".h5", ".msgpack", ".pt", ".ckpt", ".ot"];
const MAX_SHARDS = 10_000;
const MAX_INDEX_BYTES = 64 * 2 ** 20;

/** What a model consists of, before its shards are known. */
export interface FileChoice {
  readonly files: readonly RemoteFile[];
  /** The index of a sharded checkpoint, to be fetched first. */
  readonly index: RemoteFile | undefined;
}

/**
 * Picks what the loader needs: config, tokenizer, and the weights in one file or as the index of several.
 *
 * @throws HubError `no-config`, `no-tokenizer`, `no-safetensors`
 */
export async function chooseFiles(tree: RemoteTree, name: string): Promise<FileChoice> {
  const config = await tree.find(CONFIG_FILE);
  if (config === undefined) throw new HubError("no-config", `${name} has no ${CONFIG_FILE}`, { file: CONFIG_FILE });

  const files = [config];
  for (const path of TOKENIZER_FILES) {
    const file = await tree.find(path);
    if (file !== undefined) files.push(file);
    else if (VOCABULARY_FILES.includes(path) && !files.some(({ path }) => path === "tokenizer.json")) {
      throw noTokenizer(name, path);
    }
  }
  for (const path of OPTIONAL_FILES) {
    const file = await tree.find(path);
    if (file !== undefined) files.push(file);
  }
  const single = await tree.find(WEIGHTS_FILE);
  if (single !== undefined) return { files: [...files, single], index: undefined };
  const index = await tree.find(WEIGHTS_INDEX_FILE);
  if (index === undefined) throw noSafetensors(tree, name);
  if (index.size > MAX_INDEX_BYTES) {
    const message = `${name}: ${WEIGHTS_INDEX_FILE} has ${index.size} bytes, more than any real index`;
    throw new HubError("size", message, { file: WEIGHTS_INDEX_FILE });
  }
  return { files, index };
}

/**
 * The files that the user asked for by name.
 *
 * @throws HubError `file-not-found`
 */
export async function chooseNamed(tree: RemoteTree, name: string, paths: readonly string[]): Promise<FileChoice> {
  const files: RemoteFile[] = [];
  for (const path of new Set(paths)) {
    checkFileName(path);
    const file = await tree.find(path);
    if (file === undefined) throw new HubError("file-not-found", `${name} has no ${path}`, { file: path });
    files.push(file);
  }
  return { files, index: undefined };
}

/**
 * The shards of a checkpoint, in the order of their first tensors.
 *
 * @param text of `model.safetensors.index.json`
 * @throws HubError `protocol` for a malformed index, `invalid-name` for a shard outside the folder
 */
export function shardNames(text: string): string[] {
  const fail = (reason: string) =>
    new HubError("protocol", `${WEIGHTS_INDEX_FILE} ${reason}`, { file: WEIGHTS_INDEX_FILE });
  let index: unknown;
  try {
    index = JSON.parse(text);
  } catch {
    throw fail("is not JSON");
  }
  const map = typeof index === "object" && index !== null && "weight_map" in index ? index.weight_map : undefined;
  if (typeof map !== "object" || map === null || Array.isArray(map)) throw fail('has no object "weight_map"');
  const names = new Set<string>();
  for (const shard of Object.values(map)) {
    if (typeof shard !== "string") throw fail("maps a tensor to something that is not a file name");
    checkFileName(shard, WEIGHTS_INDEX_FILE);
    if (!shard.endsWith(".safetensors")) throw fail(`names ${JSON.stringify(shard)}, which is not a .safetensors file`);
    names.add(shard);
    if (names.size > MAX_SHARDS) throw fail(`names more than ${MAX_SHARDS} files`);
  }
  if (names.size === 0) throw fail("names no file");
  return [...names];
}

function noTokenizer(name: string, missing: string): HubError {
  const hint = "a GPT-2 tokenizer is a tokenizer.json, or a vocab.json and a merges.txt";
  return new HubError("no-tokenizer", `${name} has no ${missing}`, { file: missing, hint });
}

function noSafetensors(tree: RemoteTree, name: string): HubError {
  const hint = tree.hasEnding(OTHER_WEIGHTS)
    ? "its weights are in another format; look for a revision such as refs/pr/1 that adds safetensors, or convert them"
    : `expected ${WEIGHTS_FILE} or ${WEIGHTS_INDEX_FILE}`;
  return new HubError("no-safetensors", `${name} has no weights in safetensors format`, { file: WEIGHTS_FILE, hint });
}
