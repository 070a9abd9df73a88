import { listFiles, modelInfo } from "@huggingface/hub";
import { displayUrl } from "safetensors-ts/transport";
import type { HubConnection } from "./connection.ts";
import { HubError } from "./error.ts";
import { normalizeEtag } from "./etag.ts";
import { hubFileUrl } from "./file-url.ts";
import { COMMIT_PATTERN, checkFileName } from "./names.ts";
import { type RetryNotice, type RetryPolicy, withRetries } from "./retry.ts";
import { type Digest, digestOfEtag } from "./verify.ts";

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
const MAX_PAGES = 200;

/**
 * Lists the files of a model at a revision: by the hub's API, through its own client library; or, on a plain mirror that only
 * serves files, by asking for each file's headers.
 *
 * @throws HubError `repo-not-found`, `revision-not-found`, `unauthorized`, ...
 */
export async function openTree(
  connection: HubConnection,
  name: string,
  revision: string,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  onRetry?: (notice: RetryNotice) => void,
): Promise<RemoteTree> {
  const retrying = <T>(action: () => Promise<T>) => withRetries(policy, signal, action, onRetry);
  try {
    return await retrying(() => listByApi(connection, name, revision));
  } catch (error) {
    const noApi = error instanceof HubError && error.code === "repo-not-found" && error.status === 404;
    if (!noApi) throw error;
    const tree = await probeFiles(connection, name, revision, retrying).catch((probeError: unknown) => {
      // The API's answer says more than "no such file".
      throw probeError instanceof HubError && probeError.code === "file-not-found" ? error : probeError;
    });
    return tree;
  }
}

/** @returns the commit that a branch or tag stands for now */
async function resolveCommit(connection: HubConnection, name: string, revision: string): Promise<string> {
  if (COMMIT_PATTERN.test(revision)) return revision;
  const info: { sha?: unknown } = await modelInfo({
    name,
    revision,
    hubUrl: connection.endpoint,
    fetch: listingFetch(connection),
    additionalFields: ["sha"],
  }).catch((error: unknown) => refuseNonsense(error, connection.endpoint));
  return checkedCommit(info.sha, connection.endpoint);
}

async function listByApi(connection: HubConnection, name: string, revision: string): Promise<RemoteTree> {
  const commit = await resolveCommit(connection, name, revision);
  const { endpoint } = connection;
  const fetch = listingFetch(connection);
  const files = new Map<string, RemoteFile>();
  try {
    for await (const entry of listFiles({ repo: name, revision: commit, recursive: true, hubUrl: endpoint, fetch })) {
      if (entry.type !== "file") continue;
      if (files.size >= MAX_FILES) throw new HubError("protocol", `${name} lists more than ${MAX_FILES} files`);
      const url = () => hubFileUrl(name, entry.path, commit, endpoint);
      const file = remoteFile(entry.path, entry.lfs?.size ?? entry.size, entry.lfs?.oid ?? entry.oid, url);
      if (file !== undefined) files.set(file.path, file);
    }
  } catch (error) {
    refuseNonsense(error, endpoint);
  }
  return {
    commit,
    find: async (path) => files.get(path),
    hasEnding: (endings) => [...files.keys()].some((path) => endings.some((ending) => path.endsWith(ending))),
  };
}

/** `fetch` for the hub's client library, for one listing: no page twice, and an end to them. */
function listingFetch(connection: HubConnection): typeof fetch {
  const asked = new Set<string>();
  return async (input) => {
    const url = input instanceof Request ? input.url : String(input);
    if (asked.has(url) || asked.size >= MAX_PAGES) {
      throw new HubError("protocol", `${displayUrl(new URL(url))} lists files without end`, { url });
    }
    asked.add(url);
    return connection.json(url);
  };
}

/** On answers of servers that are no hub, the client library fails with a TypeError or SyntaxError of its own. */
function refuseNonsense(error: unknown, endpoint: string): never {
  if (error instanceof TypeError || error instanceof SyntaxError) throw notAHub(endpoint, error);
  throw error;
}

async function probeFiles(
  connection: HubConnection,
  name: string,
  revision: string,
  retrying: <T>(action: () => Promise<T>) => Promise<T>,
): Promise<RemoteTree> {
  const known = new Map<string, Promise<RemoteFile | undefined>>();
  let commit: string | undefined;
  const probe = async (path: string): Promise<RemoteFile | undefined> => {
    const url = hubFileUrl(name, path, revision, connection.endpoint);
    const opened = await connection.open(url, { method: "HEAD", file: path });
    opened.close();
    const { hubHeaders } = opened;
    const found = checkedCommit(hubHeaders.get("x-repo-commit"), connection.endpoint);
    commit ??= found;
    if (commit !== found) {
      throw new HubError("changed", `${name} changed on the server while its files were listed`, {
        url,
        file: path,
        hint: "download it again",
      });
    }
    const ownSize = opened.response.ok ? opened.response.headers.get("content-length") : null;
    const linkedSize = hubHeaders.get("x-linked-size") ?? ownSize;
    const etag = normalizeEtag(hubHeaders.get("x-linked-etag") ?? hubHeaders.get("etag"));
    const file = remoteFile(path, linkedSize === null ? undefined : Number(linkedSize), etag, () => url);
    if (file === undefined) throw notAHub(connection.endpoint);
    return file;
  };
  const find = (path: string): Promise<RemoteFile | undefined> => {
    const answer =
      known.get(path) ??
      retrying(() => probe(path)).catch((error: unknown) => {
        if (error instanceof HubError && error.code === "file-not-found") return undefined;
        throw error;
      });
    known.set(path, answer);
    return answer;
  };
  const config = await retrying(() => probe("config.json"));
  known.set("config.json", Promise.resolve(config));
  return { commit: checkedCommit(commit, connection.endpoint), find, hasEnding: () => undefined };
}

/** @returns undefined for an entry that cannot be a file: names, sizes and hashes are only the server's word */
function remoteFile(path: unknown, size: unknown, etag: unknown, url: () => string): RemoteFile | undefined {
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

function checkedCommit(commit: unknown, endpoint: string): string {
  if (typeof commit === "string" && COMMIT_PATTERN.test(commit)) return commit;
  throw notAHub(endpoint);
}

function notAHub(endpoint: string, cause?: unknown): HubError {
  return new HubError("protocol", `${endpoint} does not answer like a Hugging Face Hub`, {
    url: endpoint,
    hint: "check HF_ENDPOINT and the proxy",
    cause,
  });
}
