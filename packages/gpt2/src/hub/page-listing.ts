import type { HubConnection } from "./connection.ts";
import { HubError } from "./error.ts";
import { COMMIT_PATTERN } from "./names.ts";
import {
  addEntry,
  checkedCommit,
  type ListedFile,
  MAX_PAGES,
  notAHub,
  type RemoteFile,
  type RemoteTree,
  treeOf,
} from "./remote-tree.ts";

// What a page needs of the hub's API, without the hub's client library.

/** @returns the commit that a branch or tag stands for now */
export async function askForCommit(connection: HubConnection, name: string, revision: string): Promise<string> {
  if (COMMIT_PATTERN.test(revision)) return revision;
  const { endpoint } = connection;
  const { body } = await ask(connection, `${endpoint}/api/models/${name}/revision/${encodeURIComponent(revision)}`);
  return checkedCommit((body as { readonly sha?: unknown } | null)?.sha, endpoint);
}

/** The files of a commit. */
export async function listCommit(connection: HubConnection, name: string, commit: string): Promise<RemoteTree> {
  const { endpoint } = connection;
  const files = new Map<string, RemoteFile>();
  const asked = new Set<string>();
  let url: string | undefined = `${endpoint}/api/models/${name}/tree/${commit}?recursive=true`;
  while (url !== undefined) {
    if (asked.has(url) || asked.size >= MAX_PAGES) {
      throw new HubError("protocol", `${endpoint} lists the files of ${name} without end`, { url });
    }
    asked.add(url);
    const { body, next } = await ask(connection, url);
    if (!Array.isArray(body)) throw notAHub(endpoint);
    for (const entry of body as readonly (ListedFile & { readonly type?: unknown })[]) {
      if (entry?.type === "file") addEntry(files, entry, { name, commit, endpoint });
    }
    url = next;
  }
  return treeOf(commit, files);
}

async function ask(connection: HubConnection, url: string): Promise<{ body: unknown; next: string | undefined }> {
  const response = await connection.json(url);
  const [, next] = /<([^>]+)>\s*;\s*rel="?next"?/.exec(response.headers.get("link") ?? "") ?? [];
  try {
    return { body: await response.json(), next: next && new URL(next, url).href };
  } catch (cause) {
    throw notAHub(connection.endpoint, cause);
  }
}
