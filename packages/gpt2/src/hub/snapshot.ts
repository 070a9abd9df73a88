import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ModelCache } from "./cache.ts";
import {
  CONFIG_FILE,
  missingForTokenizer,
  OPTIONAL_FILES,
  shardNames,
  WEIGHTS,
  type WeightChoice,
} from "./choose-files.ts";
import type { HubError } from "./error.ts";

/** A model on disk. */
export interface DownloadedModel {
  /** The snapshot folder, laid out like the repository. */
  readonly folder: string;
  readonly commit: string;
  /** What the model consists of, or the files that were asked for. */
  readonly files: readonly DownloadedFile[];
  /** Why the cache alone was used although the hub was asked. */
  readonly fallback: HubError | undefined;
}

export interface DownloadedFile {
  readonly file: string;
  readonly path: string;
  readonly size: number;
  /** False when the bytes were on disk already. */
  readonly downloaded: boolean;
}

/** A model in the cache. */
export interface Snapshot extends DownloadedModel {
  /** False if the repository may have files besides, which matter to the model: another program fetched it, and did not need them. */
  readonly isCertain: boolean;
}

/** @returns the model as it is in the cache, or `undefined` unless everything that the loader needs is there, or all `files` */
export async function findSnapshot(
  cache: ModelCache,
  revision: string,
  weights: WeightChoice,
  files: readonly string[] | undefined,
): Promise<Snapshot | undefined> {
  const commit = await cache.readRef(revision);
  if (commit === undefined) return undefined;
  const present = files ?? (await completeFiles(cache, commit, weights));
  if (present === undefined || !(await cache.hasAll(commit, present))) return undefined;
  const folder = cache.snapshotFolder(commit);
  const found = present.map(async (file): Promise<DownloadedFile> => {
    const path = join(folder, file);
    return { file, path, size: (await stat(path)).size, downloaded: false };
  });
  let isCertain = true;
  for (const file of files === undefined ? OPTIONAL_FILES : []) {
    isCertain &&= present.includes(file) || (await cache.lacks(commit, file));
  }
  return { folder, commit, files: await Promise.all(found), fallback: undefined, isCertain };
}

/** @returns the model's files that are in the snapshot, or `undefined` unless the loader has all that it needs */
async function completeFiles(cache: ModelCache, commit: string, weights: WeightChoice): Promise<string[] | undefined> {
  const files: string[] = [CONFIG_FILE];
  for (const file of OPTIONAL_FILES) if (await cache.has(commit, file)) files.push(file);
  if (missingForTokenizer((file) => files.includes(file)) !== undefined) return undefined;
  if (weights === "none") return files;
  const names = WEIGHTS[weights];
  if (await cache.has(commit, names.single)) return [...files, names.single];
  try {
    const index = await readFile(join(cache.snapshotFolder(commit), names.index), "utf8");
    return [...files, names.index, ...shardNames(index, names)];
  } catch {
    return undefined;
  }
}
