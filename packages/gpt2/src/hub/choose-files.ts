import { nestsTooDeep } from "../json-nesting.ts";
import { TOKENIZER_FILES } from "../tokenizer-files.ts";
import { HubError } from "./error.ts";
import { checkFileName } from "./names.ts";
import type { RemoteFile, RemoteTree } from "./remote-tree.ts";

export const CONFIG_FILE = "config.json";
/** What a model may have besides its config and weights. */
export const OPTIONAL_FILES: readonly string[] = [...TOKENIZER_FILES, "generation_config.json"];
/** The tokenizer is in one file, as `transformers` 5 saves it, or in the two of before. */
const [TOKENIZER_FILE, ...VOCABULARY_FILES] = ["tokenizer.json", "vocab.json", "merges.txt"] as const;

/** What weights are called. */
export interface WeightFiles {
  readonly single: string;
  /** Names the shards of larger ones. */
  readonly index: string;
  readonly ending: string;
}

/** The formats of weights: what the loader reads, and what only a conversion does. */
export const WEIGHTS = {
  safetensors: { single: "model.safetensors", index: "model.safetensors.index.json", ending: ".safetensors" },
  pytorch: { single: "pytorch_model.bin", index: "pytorch_model.bin.index.json", ending: ".bin" },
} as const satisfies Record<string, WeightFiles>;
export type WeightFormat = keyof typeof WEIGHTS;
/** Which weights are wanted; `"none"`: config and tokenizer only. */
export type WeightChoice = WeightFormat | "none";

const OTHER_WEIGHTS = [".h5", ".msgpack", ".pt", ".ckpt", ".ot"];
const MAX_SHARDS = 10_000;
const MAX_INDEX_BYTES = 64 * 2 ** 20;

/** What a model consists of, before its shards are known. */
export interface FileChoice {
  readonly files: readonly RemoteFile[];
  /** Optional files that the commit does not have. */
  readonly absent: readonly string[];
  /** The index of a sharded checkpoint, to be fetched first. */
  readonly index: RemoteFile | undefined;
}

/**
 * Picks what the loader needs: config, tokenizer, and the weights in one file or as the index of several.
 *
 * @param name what messages call the model
 * @throws HubError `no-config`, `no-tokenizer`, `no-safetensors`
 */
export async function chooseFiles(tree: RemoteTree, name: string, format: WeightChoice): Promise<FileChoice> {
  const config = await tree.find(CONFIG_FILE);
  if (config === undefined) throw new HubError("no-config", `${name} has no ${CONFIG_FILE}`, { file: CONFIG_FILE });

  const files = [config];
  const absent: string[] = [];
  for (const path of OPTIONAL_FILES) {
    const file = await tree.find(path);
    if (file === undefined) absent.push(path);
    else files.push(file);
  }
  const missing = missingForTokenizer((path) => !absent.includes(path));
  if (missing !== undefined) {
    const hint = `a GPT-2 tokenizer is ${TOKENIZER_FILE}, or ${VOCABULARY_FILES.join(" and ")}`;
    throw new HubError("no-tokenizer", `${name} has neither ${TOKENIZER_FILE} nor ${missing}`, { file: missing, hint });
  }
  if (format === "none") return { files, absent, index: undefined };
  const names = WEIGHTS[format];
  const single = await tree.find(names.single);
  if (single !== undefined) return { files: [...files, single], absent, index: undefined };
  const index = await tree.find(names.index);
  if (index === undefined) throw await noWeights(tree, name, format);
  if (index.size > MAX_INDEX_BYTES) {
    const message = `${name}: ${names.index} has ${index.size} bytes, more than any real index`;
    throw new HubError("size", message, { file: names.index });
  }
  return { files, absent, index };
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
  return { files, absent: [], index: undefined };
}

/** @returns the file without which there is no tokenizer, if one is missing */
export function missingForTokenizer(has: (path: string) => boolean): string | undefined {
  return has(TOKENIZER_FILE) ? undefined : VOCABULARY_FILES.find((path) => !has(path));
}

/**
 * The shards of a checkpoint, in the order of their first tensors.
 *
 * @param text of the index
 * @throws HubError `protocol` for a malformed index, `invalid-name` for a shard outside the folder
 */
export function shardNames(text: string, { index: indexFile, ending }: WeightFiles): string[] {
  const fail = (reason: string) => new HubError("protocol", `${indexFile} ${reason}`, { file: indexFile });
  let index: unknown;
  if (nestsTooDeep(text)) throw fail("nests too deep");
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
    checkFileName(shard, indexFile);
    if (!shard.endsWith(ending)) throw fail(`names ${JSON.stringify(shard)}, which is not a ${ending} file`);
    names.add(shard);
    if (names.size > MAX_SHARDS) throw fail(`names more than ${MAX_SHARDS} files`);
  }
  if (names.size === 0) throw fail("names no file");
  return [...names];
}

async function noWeights(tree: RemoteTree, name: string, format: WeightFormat): Promise<HubError> {
  const { single, index } = WEIGHTS[format];
  const fail = (kind: string, hint: string): HubError =>
    new HubError("no-safetensors", `${name} has no weights in ${kind} format`, { file: single, hint });
  if (format === "pytorch") return fail("PyTorch's", `expected ${single} or ${index}`);
  const { pytorch } = WEIGHTS;
  if ((await tree.find(pytorch.single)) !== undefined || (await tree.find(pytorch.index)) !== undefined) {
    const command = `gpt2 convert --model ${name} --out FOLDER`;
    return fail("safetensors", `its weights are in PyTorch's format: ${command} downloads and converts them`);
  }
  if (tree.hasEnding(OTHER_WEIGHTS)) {
    return fail("safetensors", "look for a revision that adds them to its other formats, such as refs/pr/1");
  }
  return fail("safetensors", `expected ${single} or ${index}`);
}
