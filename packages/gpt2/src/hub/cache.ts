import { link, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { getRepoFolderName } from "@huggingface/hub";
import { removeAbandoned, temporaryPath } from "../process-owner.ts";
import { replace } from "../replace.ts";
import { replaceFile } from "../write-whole.ts";
import { HubError } from "./error.ts";
import { COMMIT_PATTERN } from "./names.ts";
import { symlinksDisabled } from "./settings.ts";
import { canBePath } from "./windows.ts";

/**
 * One model in the hub's cache, in the layout that Python's `huggingface_hub` reads and writes too:
 *
 *     models--org--name/blobs/<etag>                 the bytes
 *     models--org--name/snapshots/<commit>/<file>    a relative link to its blob, or the file itself where there are no links
 *     models--org--name/refs/<revision>              the commit a branch stood for when last asked
 *     models--org--name/.no_exist/<commit>/<file>    empty: the commit has no such file
 */
export class ModelCache {
  readonly #root: string;

  constructor(cacheDir: string, name: string) {
    this.#root = join(cacheDir, getRepoFolderName({ type: "model", name }));
  }

  blobPath(etag: string): string {
    return this.#inside("blobs", etag);
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
    if (!canBePath(revision) || !(await hasExactly(join(this.#root, "refs"), revision))) return undefined;
    const commit = await readFile(join(this.#root, "refs", revision), "utf8").catch(() => "");
    return COMMIT_PATTERN.test(commit.trim()) ? commit.trim() : undefined;
  }

  /** Notes what `revision` stands for. One that the system takes for no path is asked for anew each time. */
  async writeRef(revision: string, commit: string): Promise<void> {
    if (!canBePath(revision) || revision === commit || (await this.readRef(revision)) === commit) return;
    const path = join(this.#root, "refs", revision);
    await mkdir(dirname(path), { recursive: true });
    await replaceFile(path, commit);
  }

  /** @returns whether the snapshot has this file, with this many bytes where the size is known */
  async has(commit: string, file: string, size?: number): Promise<boolean> {
    return canBePath(file) && isFile(join(this.snapshotFolder(commit), file), size);
  }

  async hasAll(commit: string, files: readonly string[]): Promise<boolean> {
    for (const file of files) {
      if (!(await this.has(commit, file))) return false;
    }
    return true;
  }

  /** @returns whether the bytes are here already, from another commit of the model */
  async hasBlob(etag: string, size: number): Promise<boolean> {
    return isFile(this.blobPath(etag), size);
  }

  /** @returns whether it was noted that the commit has no such file */
  async lacks(commit: string, file: string): Promise<boolean> {
    return canBePath(file) && isFile(join(this.#root, ".no_exist", commit, file), undefined);
  }

  /** Notes that the commit has no such file. */
  async noteAbsence(commit: string, file: string): Promise<void> {
    if (await this.lacks(commit, file)) return;
    const path = this.#inside(".no_exist", commit, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, "");
  }

  /**
   * Makes the blob of `size` bytes appear in the snapshot: as a link, by name or by content; where there are neither, the blob
   * itself is moved, so that there is one copy of it.
   */
  async link(commit: string, file: string, etag: string, size: number): Promise<void> {
    const blob = this.blobPath(etag);
    const path = this.#inside("snapshots", commit, file);
    await mkdir(dirname(path), { recursive: true });
    await removeAbandoned(path);
    const temporary = temporaryPath(path);
    try {
      await replace((await makeLink(blob, temporary)) ? temporary : blob, path);
    } catch (error) {
      // Another download was faster: it moved the blob, or somebody reads its file, which Windows then does not replace.
      if (!(await this.has(commit, file, size))) throw error;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** A path in the model's folder. The last part comes from a server. */
  #inside(...parts: [...string[], string]): string {
    const name = parts.at(-1)!;
    if (canBePath(name)) return join(this.#root, ...parts);
    throw new HubError("invalid-name", `${JSON.stringify(name)} cannot be the name of a file on Windows`, {
      file: name,
    });
  }
}

/** @returns whether there is a link now; Windows makes links by name for administrators and developers only */
async function makeLink(blob: string, path: string): Promise<boolean> {
  const target = relative(dirname(path), blob);
  const isLinked = !symlinksDisabled() && (await symlink(target, path).then(yes, no));
  return isLinked || (await link(blob, path).then(yes, no));
}

const yes = (): boolean => true;
const no = (): boolean => false;

/** @returns whether the path exists in this spelling: where the file system takes `Main` for `main`, they are two branches still */
async function hasExactly(folder: string, path: string): Promise<boolean> {
  let place = folder;
  for (const part of path.split("/")) {
    if (!(await readdir(place).catch(() => [] as string[])).includes(part)) return false;
    place = join(place, part);
  }
  return true;
}

async function isFile(path: string, size: number | undefined): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  return info?.isFile() === true && (size === undefined || info.size === size);
}
