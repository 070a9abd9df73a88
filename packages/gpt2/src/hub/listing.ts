import { listFiles, modelInfo } from "@huggingface/hub";
import { displayUrl } from "safetensors-ts/transport";
import type { HubConnection } from "./connection.ts";
import { HubError } from "./error.ts";
import { normalizeEtag } from "./etag.ts";
import { hubFileUrl } from "./file-url.ts";
import { COMMIT_PATTERN } from "./names.ts";
import {
  addEntry,
  checkedCommit,
  MAX_PAGES,
  notAHub,
  type RemoteFile,
  type RemoteTree,
  remoteFile,
  treeOf,
} from "./remote-tree.ts";
import { type RetryNotice, type RetryPolicy, withRetries } from "./retry.ts";

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
      addEntry(files, entry, { name, commit, endpoint });
    }
  } catch (error) {
    refuseNonsense(error, endpoint);
  }
  return treeOf(commit, files);
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
