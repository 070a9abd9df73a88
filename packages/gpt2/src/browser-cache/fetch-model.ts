import { chooseFiles, shardNames, WEIGHTS } from "../hub/choose-files.ts";
import type { HubConnection } from "../hub/connection.ts";
import { expectDigest, gitBlobHead } from "../hub/digest.ts";
import { HubError } from "../hub/error.ts";
import { fetchPart } from "../hub/fetch-part.ts";
import { listCommit } from "../hub/page-listing.ts";
import type { DownloadProgress } from "../hub/progress.ts";
import type { RemoteFile, RemoteTree } from "../hub/remote-tree.ts";
import { type RetryPolicy, withRetries } from "../hub/retry.ts";
import { KeptFile } from "./kept-file.ts";
import type { KeptId, Manifest } from "./model-store.ts";
import { Sha256 } from "./sha256.ts";
import { type BrowserStorage, expectSpace, writeError } from "./storage.ts";

/** Hashed at once: a few milliseconds. */
const HASHED_BYTES = 2 ** 20;

export interface FetchOptions {
  readonly connection: HubConnection;
  readonly policy: RetryPolicy;
  readonly storage: BrowserStorage;
  /** Bytes that will be needed besides, for each byte that is downloaded. */
  readonly besides: number;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Downloads a commit's config, tokenizer and weights into a folder, and verifies them. What an earlier visit left there is continued.
 *
 * @returns what came
 * @throws HubError; `signal.reason`. What arrived stays, unless it is damaged
 */
export async function fetchModel(
  id: KeptId,
  folder: FileSystemDirectoryHandle,
  options: FetchOptions,
): Promise<Manifest["files"]> {
  const { connection, policy, storage, besides, onProgress, signal } = options;
  const tree = await withRetries(
    policy,
    signal,
    () => listCommit(connection, id.name, id.commit),
    (notice) => onProgress?.({ type: "retry", file: id.name, ...notice }),
  );
  const choice = await chooseFiles(tree, id.name, "safetensors");
  const kept = new Map<string, KeptFile>();
  const open = async (remote: RemoteFile): Promise<KeptFile> => {
    const file = kept.get(remote.path) ?? (await KeptFile.open(folder, remote.path, remote.digest.kind !== "none"));
    kept.set(remote.path, file);
    return file;
  };
  const fetch = async (remote: RemoteFile, before: { readonly loaded: number; readonly total: number }) => {
    const file = await open(remote);
    try {
      await fetchFile(remote, file, before, options);
    } catch (error) {
      throw await writeError(storage, id.name, before.total - before.loaded - file.written, error, signal);
    }
  };
  const files = [...choice.files];
  if (choice.index !== undefined) {
    await fetch(choice.index, { loaded: 0, total: choice.index.size });
    files.push(choice.index, ...(await shardsOf(id.name, tree, choice.index.path, (await open(choice.index)).blob())));
  }
  const total = files.reduce((sum, { size }) => sum + size, 0);
  onProgress?.({
    type: "start",
    commit: id.commit,
    files: files.map(({ path, size }) => ({ file: path, size })),
    total,
  });
  let present = 0;
  for (const file of files) present += Math.min((await open(file)).length, file.size);
  await expectSpace(storage, id.name, total - present + Math.ceil(total * besides));
  let loaded = 0;
  for (const file of files) {
    if (file !== choice.index) await fetch(file, { loaded, total });
    loaded += file.size;
  }
  return files.map(({ path, size }) => ({ file: path, size }));
}

async function shardsOf(name: string, tree: RemoteTree, index: string, text: Blob): Promise<RemoteFile[]> {
  const shards: RemoteFile[] = [];
  for (const shard of shardNames(await text.text(), WEIGHTS.safetensors)) {
    const file = await tree.find(shard);
    if (file === undefined) {
      const message = `${index} of ${name} names ${shard}, which the repository does not have`;
      throw new HubError("file-not-found", message, { file: shard });
    }
    shards.push(file);
  }
  return shards;
}

async function fetchFile(
  remote: RemoteFile,
  kept: KeptFile,
  before: { readonly loaded: number; readonly total: number },
  { connection, policy, onProgress, signal }: FetchOptions,
): Promise<void> {
  const { path: file, size } = remote;
  const resumed = kept.continuable && kept.length > 0;
  const downloaded = kept.length !== size || !resumed;
  if (resumed && downloaded) onProgress?.({ type: "resume", file, loaded: kept.length, size });
  const fetchRest = () =>
    fetchPart(connection, { ...remote, file }, kept, policy, signal, {
      onBytes: (loaded) => {
        const overall = { loaded: before.loaded + loaded, total: before.total };
        onProgress?.({ type: "bytes", file, loaded, size, overall });
      },
      onRetry: (notice) => onProgress?.({ type: "retry", file, ...notice }),
    });
  await fetchRest();
  onProgress?.({ type: "verify", file, size });
  try {
    await verify(remote, kept.blob(), signal);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    await kept.restart(undefined);
    if (!resumed) throw error;
    // The earlier visit's bytes may be at fault, and the file itself be sound.
    await fetchRest();
    await verify(remote, kept.blob(), signal);
  }
  onProgress?.({ type: "file", file, size, downloaded });
}

/** Reads back what was written and compares it with what the repository promised. */
async function verify({ path, size, digest }: RemoteFile, blob: Blob, signal: AbortSignal | undefined): Promise<void> {
  if (digest.kind === "git-sha1") {
    const bytes = await new Blob([gitBlobHead(size), blob]).arrayBuffer();
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-1", bytes));
    expectDigest(path, digest, Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join(""));
  }
  if (digest.kind !== "sha256") return;
  const hash = new Sha256();
  for (let at = 0; at < size; at += HASHED_BYTES) {
    signal?.throwIfAborted();
    hash.update(new Uint8Array(await blob.slice(at, at + HASHED_BYTES).arrayBuffer()));
  }
  expectDigest(path, digest, hash.hex());
}
