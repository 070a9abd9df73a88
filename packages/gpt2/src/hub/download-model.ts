import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ModelCache } from "./cache.ts";
import { chooseFiles, chooseNamed, shardNames, WEIGHTS, type WeightChoice, type WeightFormat } from "./choose-files.ts";
import { HubConnection } from "./connection.ts";
import { downloadFile } from "./download-file.ts";
import { HubError } from "./error.ts";
import { fileSystemError } from "./file-system-error.ts";
import { openTree } from "./listing.ts";
import { COMMIT_PATTERN, checkFileName, checkModelName, checkRevision, splitRevision } from "./names.ts";
import type { PretrainedOptions } from "./options.ts";
import type { DownloadProgress } from "./progress.ts";
import type { RemoteFile, RemoteTree } from "./remote-tree.ts";
import type { RetryPolicy } from "./retry.ts";
import { resolveCacheDir, resolveEndpoint, resolveOffline, resolveStallTimeout, resolveToken } from "./settings.ts";
import { type DownloadedFile, type DownloadedModel, findSnapshot } from "./snapshot.ts";

/** All optional. */
export interface DownloadOptions extends PretrainedOptions {
  /** Use a complete snapshot in the cache without asking whether the branch has moved. @defaultValue `false` */
  readonly preferCached?: boolean | undefined;
  /** Exactly these files of the repository, instead of what the loader needs. */
  readonly files?: readonly string[] | undefined;
  /**
   * In which format weights are fetched: the loader reads `"safetensors"`, `convertModel` also `"pytorch"`; `"none"` fetches config
   * and tokenizer only. @defaultValue `"safetensors"`
   */
  readonly weights?: WeightChoice | undefined;
  /** Replaces the global `fetch`, for a proxy say. It must leave redirects alone when asked to (`redirect: "manual"`). */
  readonly fetch?: typeof fetch | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Retries after transient errors without progress in between. @defaultValue `5` */
  readonly retries?: number | undefined;
  /** Milliseconds before the first retry, doubling after. @defaultValue `500` */
  readonly retryDelay?: number | undefined;
  /** Milliseconds without a byte after which a connection is abandoned; else `HF_HUB_DOWNLOAD_TIMEOUT` (seconds), else 30 s. */
  readonly stallTimeout?: number | undefined;
}

/** How often a branch that moves while it is downloaded is listed again. */
const MAX_LISTINGS = 3;

/**
 * Downloads a model from the Hugging Face Hub into the cache that Python's `huggingface_hub` uses too, or finds it
 * there: config, tokenizer and weights, sharded or not. Node only.
 *
 * An interrupted download is continued by the next call. When the hub cannot be reached, a complete snapshot in the
 * cache is returned, with the reason in `fallback`.
 *
 * @param model its name, such as `"gpt2"`; a revision may follow: `"gpt2@v1"`
 * @throws HubError, whose `code` tells what went wrong; `signal.reason` when aborted
 */
export async function downloadModel(model: string, options: DownloadOptions = {}): Promise<DownloadedModel> {
  const { signal, weights = "safetensors" } = options;
  const { name, revision = "main" } = splitRevision(model, options.revision);
  checkModelName(name);
  checkRevision(revision);
  for (const file of options.files ?? []) checkFileName(file);
  const cacheDir = resolveCacheDir(options.cacheDir);
  const cache = new ModelCache(cacheDir, name);
  const connection = new HubConnection({
    endpoint: resolveEndpoint(options.endpoint),
    token: resolveToken(options.token),
    fetch: options.fetch ?? fetch,
    stallTimeout: resolveStallTimeout(options.stallTimeout),
    signal,
  });
  signal?.throwIfAborted();

  const cached = await findSnapshot(cache, revision, weights, options.files);
  if (resolveOffline(options.offline)) {
    if (cached !== undefined) return cached;
    throw new HubError("offline", `${name} (${revision}) is not complete in ${cacheDir}`, {
      hint: "the network is switched off (offline, HF_HUB_OFFLINE)",
    });
  }
  const asks = cached?.isCertain !== true || !(options.preferCached || COMMIT_PATTERN.test(revision));
  if (cached !== undefined && !asks) return cached;

  const policy = { retries: options.retries ?? 5, delay: options.retryDelay ?? 500 };
  for (let listings = 1; ; listings++) {
    let tree: RemoteTree;
    try {
      tree = await openTree(connection, name, revision, policy, signal, (notice) =>
        options.onProgress?.({ type: "retry", file: name, ...notice }),
      );
    } catch (error) {
      if (cached === undefined || !(error instanceof HubError) || !isOutage(error)) throw error;
      return { ...cached, fallback: error };
    }
    try {
      return await new ModelDownload(connection, cache, tree, policy, options).run(name, revision);
    } catch (error) {
      const changed = error instanceof HubError && error.code === "changed";
      if (!changed || listings >= MAX_LISTINGS) throw fileSystemError(error, cacheDir);
    }
  }
}

/**
 * Finds a model in the cache, without network.
 *
 * @returns its snapshot folder, or `undefined` unless everything that the loader needs is there
 * @throws HubError `invalid-name`
 */
export async function findCachedModel(
  model: string,
  revision?: string,
  options: { readonly cacheDir?: string | undefined } = {},
): Promise<DownloadedModel | undefined> {
  const { name, revision: found = "main" } = splitRevision(model, revision);
  checkModelName(name);
  checkRevision(found);
  return findSnapshot(new ModelCache(resolveCacheDir(options.cacheDir), name), found, "safetensors", undefined);
}

function isOutage(error: HubError): boolean {
  return error.transient || error.code === "unreachable";
}

/** The download of one commit: what to fetch, what is here already, how far it has come. */
class ModelDownload {
  readonly #connection: HubConnection;
  readonly #cache: ModelCache;
  readonly #tree: RemoteTree;
  readonly #policy: RetryPolicy;
  readonly #options: DownloadOptions;
  readonly #done = new Map<string, DownloadedFile>();

  constructor(
    connection: HubConnection,
    cache: ModelCache,
    tree: RemoteTree,
    policy: RetryPolicy,
    options: DownloadOptions,
  ) {
    this.#connection = connection;
    this.#cache = cache;
    this.#tree = tree;
    this.#policy = policy;
    this.#options = options;
  }

  async run(name: string, revision: string): Promise<DownloadedModel> {
    const { commit } = this.#tree;
    const wanted = this.#options.files;
    const { weights = "safetensors" } = this.#options;
    const label = revision === "main" ? name : `${name}@${revision}`;
    const choice = await (wanted === undefined
      ? chooseFiles(this.#tree, label, weights)
      : chooseNamed(this.#tree, label, wanted));
    const files = [...choice.files];
    if (choice.index !== undefined && weights !== "none") {
      await this.#fetch(choice.index, { loaded: 0, total: choice.index.size });
      files.push(choice.index, ...(await this.#shards(label, choice.index.path, weights)));
    }
    const total = files.reduce((sum, file) => sum + file.size, 0);
    this.#report({ type: "start", commit, files: files.map(({ path, size }) => ({ file: path, size })), total });
    let loaded = 0;
    for (const file of files) {
      if (!this.#done.has(file.path)) await this.#fetch(file, { loaded, total });
      loaded += file.size;
    }
    for (const file of choice.absent) await this.#cache.noteAbsence(commit, file);
    // The branch is recorded last, so that what it points to is complete.
    await this.#cache.writeRef(revision, commit);
    const folder = this.#cache.snapshotFolder(commit);
    this.#report({ type: "done", commit, folder });
    return { folder, commit, files: [...this.#done.values()], fallback: undefined };
  }

  async #shards(name: string, index: string, weights: WeightFormat): Promise<RemoteFile[]> {
    const path = join(this.#cache.snapshotFolder(this.#tree.commit), index);
    const shards: RemoteFile[] = [];
    for (const shard of shardNames(await readFile(path, "utf8"), WEIGHTS[weights])) {
      const file = await this.#tree.find(shard);
      if (file === undefined) {
        const message = `${index} of ${name} names ${shard}, which the repository does not have`;
        throw new HubError("file-not-found", message, { file: shard });
      }
      shards.push(file);
    }
    return shards;
  }

  /** @param before bytes of the files before this one, and of all */
  async #fetch(remote: RemoteFile, before: { loaded: number; total: number }): Promise<void> {
    const { path: file, size, etag, digest, url } = remote;
    const { commit } = this.#tree;
    const path = join(this.#cache.snapshotFolder(commit), file);
    let downloaded = false;
    if (!(await this.#cache.has(commit, file, size))) {
      if (!(await this.#cache.hasBlob(etag, size))) {
        await this.#cache.makeBlobFolder();
        const blobPath = this.#cache.blobPath(etag);
        const report = (loaded: number) =>
          this.#report({
            type: "bytes",
            file,
            loaded,
            size,
            overall: { loaded: before.loaded + loaded, total: before.total },
          });
        await downloadFile(
          this.#connection,
          { url, file, size, digest, etag, blobPath },
          this.#policy,
          this.#options.signal,
          {
            onBytes: report,
            onResume: (loaded) => this.#report({ type: "resume", file, loaded, size }),
            onRetry: (notice) => this.#report({ type: "retry", file, ...notice }),
            onVerify: () => this.#report({ type: "verify", file, size }),
          },
        );
        downloaded = true;
      }
      await this.#cache.link(commit, file, etag, size);
    }
    this.#done.set(file, { file, path, size, downloaded });
    this.#report({ type: "file", file, size, downloaded });
  }

  #report(progress: DownloadProgress): void {
    this.#options.onProgress?.(progress);
  }
}
