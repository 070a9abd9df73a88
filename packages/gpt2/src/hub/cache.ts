import { randomBytes } from "node:crypto";
import { copyFile, mkdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { getRepoFolderName } from "@huggingface/hub";
import { CONFIG_FILE, shardNames, VOCABULARY_FILES, WEIGHTS_FILE, WEIGHTS_INDEX_FILE } from "./choose-files.ts";
import { COMMIT_PATTERN } from "./names.ts";
import { symlinksDisabled } from "./settings.ts";

/**
 * One model in the hub's cache, in the layout that Python's `huggingface_hub` reads and writes too:
 *
 *     models--org--name/blobs/<etag>                 the bytes
 *     models--org--name/snapshots/<commit>/<file>    a relative link to its blob
 *     models--org--name/refs/<revision>              the commit a branch stood for when last asked
 */
export class ModelCache {
  readonly #root: string;

  constructor(cacheDir: string, name: string) {
    this.#root = join(cacheDir, getRepoFolderName({ type: "model", name }));
  }

  blobPath(etag: string): string {
    return join(this.#root, "blobs", etag);
  }

  snapshotFolder(commit: string): string {
    return join(this.#root, "snapshots", commit);
  }

  async makeBlobFolder(): Promise<void> {
    await mkdir(join(this.#root, "blobs"), { recursive: true });
  }

  /** @returns the commit that `revision` stood for when it was last downloaded */
  async readRef(revision: string): Promise<string | undefined> {
    if (COMMIT_PATTERN.test(revision)) return revision;
    const commit = await readFile(join(this.#root, "refs", revision), "utf8").catch(() => "");
    return COMMIT_PATTERN.test(commit.trim()) ? commit.trim() : undefined;
  }

  async writeRef(revision: string, commit: string): Promise<void> {
    if (revision === commit || (await this.readRef(revision)) === commit) return;
    const path = join(this.#root, "refs", revision);
    await mkdir(dirname(path), { recursive: true });
    const temporary = temporaryName(path);
    await writeFile(temporary, commit);
    await rename(temporary, path);
  }

  /** @returns whether the snapshot has this file, with this many bytes where the size is known */
  async has(commit: string, file: string, size?: number): Promise<boolean> {
    return isFile(join(this.snapshotFolder(commit), file), size);
  }

  /** @returns whether the bytes are here already, from another commit of the model */
  async hasBlob(etag: string, size: number): Promise<boolean> {
    return isFile(this.blobPath(etag), size);
  }

  /** Makes the blob appear in the snapshot: as a link, or as the file itself where there are no links. */
  async link(commit: string, file: string, etag: string): Promise<void> {
    const blob = this.blobPath(etag);
    const path = join(this.snapshotFolder(commit), file);
    await mkdir(dirname(path), { recursive: true });
    const temporary = temporaryName(path);
    try {
      if (symlinksDisabled()) throw new Error("links are switched off");
      await symlink(relative(dirname(path), blob), temporary);
    } catch {
      await copyFile(blob, temporary);
    }
    try {
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** @returns the files the loader needs, or `undefined` unless all of them are in the snapshot */
  async completeFiles(commit: string): Promise<string[] | undefined> {
    const isOneFile = await this.has(commit, "tokenizer.json");
    const files: string[] = [CONFIG_FILE, ...(isOneFile ? ["tokenizer.json"] : VOCABULARY_FILES)];
    if (await this.has(commit, WEIGHTS_FILE)) {
      files.push(WEIGHTS_FILE);
    } else {
      try {
        const index = await readFile(join(this.snapshotFolder(commit), WEIGHTS_INDEX_FILE), "utf8");
        files.push(WEIGHTS_INDEX_FILE, ...shardNames(index));
      } catch {
        return undefined;
      }
    }
    return (await this.hasAll(commit, files)) ? files : undefined;
  }

  async hasAll(commit: string, files: readonly string[]): Promise<boolean> {
    for (const file of files) {
      if (!(await this.has(commit, file))) return false;
    }
    return true;
  }
}

function temporaryName(path: string): string {
  return `${path}.${randomBytes(4).toString("hex")}.tmp`;
}

async function isFile(path: string, size: number | undefined): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  return info?.isFile() === true && (size === undefined || info.size === size);
}
