import { type Digest, digestOfEtag } from "./digest.ts";
import { HubError } from "./error.ts";
import { hubFileUrl } from "./file-url.ts";
import { inPage } from "./in-page.ts";
import { COMMIT_PATTERN, checkFileName } from "./names.ts";

/** A file of the repository, as the hub describes it. */
export interface RemoteFile {
  readonly path: string;
  readonly size: number;
  /** Names the blob in the cache: the SHA-256 of a large file, the Git hash of a small one. */
  readonly etag: string;
  readonly digest: Digest;
  readonly url: string;
}

/** The files of one commit of a model. */
export interface RemoteTree {
  readonly commit: string;
  find(path: string): Promise<RemoteFile | undefined>;
  /** @returns whether some file has one of these endings; `undefined` where the server gives no listing */
  hasEnding(endings: readonly string[]): boolean | undefined;
}

const MAX_FILES = 100_000;
/** Of a thousand files each. */
export const MAX_PAGES = 200;

export function treeOf(commit: string, files: ReadonlyMap<string, RemoteFile>): RemoteTree {
  return {
    commit,
    find: async (path) => files.get(path),
    hasEnding: (endings) => [...files.keys()].some((path) => endings.some((ending) => path.endsWith(ending))),
  };
}

/** Adds what the hub's API lists of a file, unless that cannot be one. */
export function addEntry(
  files: Map<string, RemoteFile>,
  entry: ListedFile,
  { name, commit, endpoint }: { readonly name: string; readonly commit: string; readonly endpoint: string },
): void {
  if (files.size >= MAX_FILES) throw new HubError("protocol", `${name} lists more than ${MAX_FILES} files`);
  const { path, size, oid, lfs } = entry;
  const url = () => hubFileUrl(name, String(path), commit, endpoint);
  const file = remoteFile(path, lfs?.size ?? size, lfs?.oid ?? oid, url);
  if (file !== undefined) files.set(file.path, file);
}

/** A file as the hub's API lists it, if that keeps its word. */
export interface ListedFile {
  readonly path?: unknown;
  readonly size?: unknown;
  readonly oid?: unknown;
  readonly lfs?: { readonly size?: unknown; readonly oid?: unknown } | null | undefined;
}

/** @returns undefined for an entry that cannot be a file: names, sizes and hashes are only the server's word */
export function remoteFile(path: unknown, size: unknown, etag: unknown, url: () => string): RemoteFile | undefined {
  if (typeof path !== "string" || typeof etag !== "string" || typeof size !== "number") return undefined;
  // The ETag becomes a file name.
  if (!Number.isSafeInteger(size) || size < 0 || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(etag)) return undefined;
  try {
    checkFileName(path);
    return { path, size, etag, digest: digestOfEtag(etag), url: url() };
  } catch {
    return undefined;
  }
}

export function checkedCommit(commit: unknown, endpoint: string): string {
  if (typeof commit === "string" && COMMIT_PATTERN.test(commit)) return commit;
  throw notAHub(endpoint);
}

export function notAHub(endpoint: string, cause?: unknown): HubError {
  return new HubError("protocol", `${endpoint} does not answer like a Hugging Face Hub`, {
    url: endpoint,
    hint: inPage ? "check the endpoint" : "check HF_ENDPOINT and the proxy",
    cause,
  });
}
