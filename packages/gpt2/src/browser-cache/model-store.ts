import type { ConvertedDtype } from "../checkpoint/quantization.ts";
import type { ModelFiles } from "../checkpoint/source/index.ts";
import { ifThere, KeptFile, readJson, writeJson } from "./kept-file.ts";
import type { BrowserStorage } from "./storage.ts";

/** The folder of ours in the origin's private file system. */
const FOLDER = "gpt2-ts";
const MANIFEST = "complete.json";
const REFS = "refs.json";

/** Milliseconds for which a tab may look at what there is, which nobody need hear of. */
const LOOK_MS = 200;

/** Whose files these are. */
export interface KeptId {
  readonly name: string;
  readonly commit: string;
}

/** As the hub has it, or converted here. */
export type Variant = "original" | ConvertedDtype;

/** Written when all files of a variant are there. */
export interface Manifest {
  readonly version: 1;
  readonly files: readonly { readonly file: string; readonly size: number }[];
  /** Goes once this is made of it. */
  readonly onlyFor?: ConvertedDtype | undefined;
}

/** A variant of a model, complete or not. */
export interface Kept extends KeptId {
  readonly variant: Variant;
  readonly bytes: number;
  readonly complete: boolean;
}

/**
 * The models of an origin, in its private file system:
 *
 *     gpt2-ts/models/<name>@<commit>/<original, int8, ...>/<file>.0, <file>.1, ...   the file's pieces
 *                                                         /complete.json            its files and their sizes, once they are there
 *     gpt2-ts/refs.json                                                             the commit a branch stood for when last asked
 */
export class ModelStore {
  readonly storage: BrowserStorage;

  constructor(storage: BrowserStorage) {
    this.storage = storage;
  }

  /** The folder of a variant, which is made if it is not there. */
  async folder(id: KeptId, variant: Variant): Promise<FileSystemDirectoryHandle> {
    const model = await (await this.#models(true))!.getDirectoryHandle(folderName(id), { create: true });
    return model.getDirectoryHandle(variant, { create: true });
  }

  /** A variant's files by name; undefined unless all of them are there. */
  async files(id: KeptId, variant: Variant): Promise<{ files: ModelFiles; manifest: Manifest } | undefined> {
    const models = await this.#models(false);
    const model = models && (await ifThere(models.getDirectoryHandle(folderName(id))));
    const folder = model && (await ifThere(model.getDirectoryHandle(variant)));
    const manifest = folder && (await manifestIn(folder));
    if (manifest === undefined) return undefined;
    const files: Record<string, Blob> = Object.create(null);
    for (const { file, size } of manifest.files) {
      const kept = await KeptFile.open(folder!, file, false);
      if (kept.length !== size) return undefined;
      files[file] = kept.blob();
    }
    return { files, manifest };
  }

  async complete(id: KeptId, variant: Variant, manifest: Manifest): Promise<void> {
    await writeJson(await this.folder(id, variant), MANIFEST, manifest);
  }

  /** Removes a variant, or all of a model. */
  async remove(id: KeptId, variant?: Variant): Promise<void> {
    const models = await this.#models(false);
    if (models === undefined) return;
    const name = folderName(id);
    const model = await ifThere(models.getDirectoryHandle(name));
    if (model === undefined) return;
    if (variant !== undefined) {
      const folder = await ifThere(model.getDirectoryHandle(variant));
      if (folder === undefined) return;
      // First, because the rest takes a while.
      await ifThere(folder.removeEntry(MANIFEST));
      await model.removeEntry(variant, { recursive: true });
      for await (const _ of model.keys()) return;
    }
    await models.removeEntry(name, { recursive: true });
  }

  async list(): Promise<Kept[]> {
    const found: Kept[] = [];
    const models = await this.#models(false);
    if (models === undefined) return found;
    for await (const [name, model] of models.entries()) {
      const id = idOf(name);
      if (id === undefined || !isFolder(model)) continue;
      for await (const [variant, folder] of model.entries()) {
        if (!isFolder(folder)) continue;
        // Other tabs and workers write and delete meanwhile.
        const bytes = await ifThere(bytesIn(folder));
        if (bytes === undefined) continue;
        const complete = (await manifestIn(folder)) !== undefined;
        found.push({ ...id, variant: variant as Variant, bytes, complete });
      }
    }
    return found;
  }

  /** The commit that was last found under this key. */
  async readRef(key: string): Promise<string | undefined> {
    return (await this.#refs())[key];
  }

  /** @returns a commit of before that no key leads to any more */
  async writeRef(key: string, commit: string): Promise<string | undefined> {
    if ((await this.readRef(key)) === commit) return undefined;
    return this.storage.locks.request(`${FOLDER}: refs`, async () => {
      const refs = await this.#refs();
      const before = refs[key];
      refs[key] = commit;
      await writeJson(await this.storage.root.getDirectoryHandle(FOLDER, { create: true }), REFS, refs);
      return before !== undefined && !Object.values(refs).includes(before) ? before : undefined;
    });
  }

  /**
   * Waits until nobody uses a model, or nobody changes it, and keeps it so. Whoever watches is told when one who may change it is done.
   *
   * @param onWait called if that takes a while; undefined: then there is no waiting
   * @returns what ends it; undefined if it would have to wait
   */
  async lock(
    id: KeptId,
    mode: LockMode,
    onWait: (() => void) | undefined,
    signal?: AbortSignal | undefined,
  ): Promise<(() => void) | undefined> {
    const name = `${FOLDER}: ${folderName(id)}`;
    const { locks } = this.storage;
    const take = (options: LockOptions) =>
      new Promise<(() => void) | undefined>((resolve, reject) => {
        const held = (lock: Lock | null) =>
          lock === null
            ? resolve(undefined)
            : new Promise<void>((release) => resolve(mode === "shared" ? release : this.#telling(release)));
        locks.request(name, options, held as LockGrantedCallback<unknown>).catch(reject);
      });
    const atOnce = await take({ mode, ifAvailable: true });
    if (atOnce !== undefined || onWait === undefined) return atOnce;
    const timer = setTimeout(onWait, LOOK_MS);
    try {
      return await take({ mode, ...(signal && { signal }) });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Opens the line now: a worker may end as soon as it has let go. */
  #telling(release: () => void): () => void {
    const changes = this.storage.changes();
    return () => {
      release();
      changes.postMessage(undefined);
      changes.close();
    };
  }

  async #refs(): Promise<Record<string, string>> {
    const folder = await ifThere(this.storage.root.getDirectoryHandle(FOLDER));
    return ((folder && (await readJson(folder, REFS))) ?? {}) as Record<string, string>;
  }

  async #models(create: boolean): Promise<FileSystemDirectoryHandle | undefined> {
    const { root } = this.storage;
    if (create) {
      return (await root.getDirectoryHandle(FOLDER, { create })).getDirectoryHandle("models", { create });
    }
    const folder = await ifThere(root.getDirectoryHandle(FOLDER));
    return folder && ifThere(folder.getDirectoryHandle("models"));
  }
}

async function manifestIn(folder: FileSystemDirectoryHandle): Promise<Manifest | undefined> {
  const manifest = (await readJson(folder, MANIFEST)) as Manifest | undefined;
  return manifest?.version === 1 ? manifest : undefined; // what another version of ours wrote is made anew
}

async function bytesIn(folder: FileSystemDirectoryHandle): Promise<number> {
  let bytes = 0;
  for await (const file of folder.values()) {
    if (!isFolder(file)) bytes += (await ifThere(file.getFile()))?.size ?? 0;
  }
  return bytes;
}

function folderName({ name, commit }: KeptId): string {
  return `${encodeURIComponent(name)}@${commit}`;
}

function idOf(folder: string): KeptId | undefined {
  const [, name, commit] = /^(.+)@([0-9a-f]{40})$/.exec(folder) ?? [];
  return name === undefined ? undefined : { name: decodeURIComponent(name), commit: commit! };
}

function isFolder(handle: FileSystemHandle): handle is FileSystemDirectoryHandle {
  return handle.kind === "directory";
}
