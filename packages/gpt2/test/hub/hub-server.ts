import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What goes wrong with the next answer for a file (or for an API path). */
export type Fault =
  /** The connection is destroyed after so many bytes of the body. */
  | { kind: "cut"; after: number }
  /** Nothing more comes after so many bytes, and the connection stays open. */
  | { kind: "stall"; after: number }
  /** One byte of the body is flipped. */
  | { kind: "corrupt"; at: number }
  | { kind: "status"; status: number; headers?: Record<string, string> }
  /** `Range` is ignored: 200 with everything. */
  | { kind: "ignore-range" }
  /** 206 with bytes that start one too early. */
  | { kind: "wrong-range" }
  /** `If-Range` is ignored: 206 even though the version is another one. */
  | { kind: "ignore-if-range" }
  /** The body continues beyond the announced size. */
  | { kind: "too-long"; extra: number }
  /** `Content-Length` promises more than comes. */
  | { kind: "lying-length"; extra: number }
  | { kind: "none" };

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  /** Which of the two servers was asked. */
  readonly server: "hub" | "cdn";
  readonly headers: IncomingMessage["headers"];
}

/** As on the hub and its CDN: pages of every origin may read. */
const corsHeaders = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "Accept-Ranges, Content-Range, ETag, X-Error-Code, X-Repo-Commit",
};

interface Commit {
  readonly id: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * A hub in miniature on 127.0.0.1: the API for revisions and trees, `resolve` with the hub's headers, large files
 * redirected to a second server that stands for the CDN, and faults on demand.
 */
export class HubServer {
  readonly requests: RecordedRequest[] = [];
  /** When set, everything but the CDN wants this token. */
  token: string | undefined;
  /** Files from this size on are kept as LFS files, on the CDN. */
  lfsFrom = 2000;
  /** False: no API, files only, as a plain mirror. */
  hasApi = true;
  /** The CDN's ETags: strong, weak or none. */
  etags: "strong" | "weak" | "none" = "strong";
  /** Announced in the tree instead of the true size, by path. */
  readonly announcedSizes = new Map<string, number>();
  /** Bytes per write and the pause after it, for downloads that take a while. */
  throttle: { bytes: number; ms: number } | undefined;
  /** Old names of models: the hub redirects, as from gpt2 to openai-community/gpt2. */
  readonly renamed = new Map<string, string>();
  readonly #repos = new Map<string, { commits: Map<string, Commit>; refs: Map<string, string> }>();
  readonly #faults = new Map<string, Fault[]>();
  readonly #objects = new Map<string, Uint8Array>();
  readonly #hub: Server;
  readonly #cdn: Server;

  private constructor(hub: Server, cdn: Server) {
    this.#hub = hub;
    this.#cdn = cdn;
    this.url = `http://127.0.0.1:${portOf(hub)}`;
    this.cdnUrl = `http://127.0.0.1:${portOf(cdn)}`;
    hub.on("request", (request, response) => void this.#serve("hub", request, response));
    cdn.on("request", (request, response) => void this.#serve("cdn", request, response));
  }

  static async start(port = 0): Promise<HubServer> {
    const hub = createServer().listen(port, "127.0.0.1");
    const cdn = createServer().listen(0, "127.0.0.1");
    await Promise.all([once(hub, "listening"), once(cdn, "listening")]);
    return new HubServer(hub, cdn);
  }

  /** Stays known after the server has stopped. */
  readonly url: string;
  readonly cdnUrl: string;

  async stop(): Promise<void> {
    for (const server of [this.#hub, this.#cdn]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  /** Publishes a commit and lets a branch point to it. @returns its id */
  commit(name: string, files: Record<string, Uint8Array | string>, branch = "main"): string {
    const entries = Object.entries(files).map(([path, data]): [string, Uint8Array] => [
      path,
      typeof data === "string" ? Buffer.from(data) : data,
    ]);
    const hash = createHash("sha1");
    for (const [path, data] of entries) hash.update(path).update(data);
    const id = hash.digest("hex");
    const repo = this.#repos.get(name) ?? { commits: new Map(), refs: new Map() };
    repo.commits.set(id, { id, files: new Map(entries) });
    repo.refs.set(branch, id);
    this.#repos.set(name, repo);
    for (const [, data] of entries) if (this.#isLfs(data)) this.#objects.set(sha256(data), data);
    return id;
  }

  /** Replaces the bytes that the CDN keeps for an LFS file, behind the repository's back. */
  replaceObject(original: Uint8Array, data: Uint8Array): void {
    this.#objects.set(sha256(original), data);
  }

  /** Queues faults for GETs of a file, one per answer that carries bytes, or for an API path. */
  fault(path: string, ...faults: Fault[]): void {
    this.#faults.set(path, [...(this.#faults.get(path) ?? []), ...faults]);
  }

  /** GETs of a file's bytes, in order. */
  transfers(file: string): RecordedRequest[] {
    return this.requests.filter(({ path, method, server }) => {
      if (method !== "GET" || path.startsWith("/api/")) return false;
      const isObject = server === "cdn" ? path.endsWith(`/${encodeURIComponent(file)}`) : path.endsWith(`/${file}`);
      return isObject;
    });
  }

  async #serve(server: "hub" | "cdn", request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const path = decodeURIComponent(pathname);
    this.requests.push({ method: request.method ?? "", path: pathname, server, headers: request.headers });
    for (const [header, value] of Object.entries(corsHeaders)) response.setHeader(header, value);
    try {
      const moved = server === "hub" ? this.#movedTo(request.url ?? "/") : undefined;
      if (moved !== undefined) send(response, 307, { location: moved }, {});
      else if (server === "cdn") await this.#serveObject(path, request, response);
      else if (this.token !== undefined && request.headers.authorization !== `Bearer ${this.token}`) {
        send(response, 401, {}, { error: "Invalid username or password." });
      } else if (path.startsWith("/api/")) this.#serveApi(pathname, response);
      else await this.#serveFile(path, request, response);
    } catch {
      response.destroy();
    }
  }

  /** @returns the relative address under the new name */
  #movedTo(url: string): string | undefined {
    for (const [from, to] of this.renamed) {
      for (const prefix of [`/api/models/${from}/`, `/${from}/resolve/`]) {
        if (url.startsWith(prefix)) return prefix.replace(from, to) + url.slice(prefix.length);
      }
    }
    return undefined;
  }

  #serveApi(pathname: string, response: ServerResponse): void {
    const fault = this.#nextFault("/api");
    if (fault.kind === "status") {
      send(response, fault.status, fault.headers ?? {}, { error: "injected" });
      return;
    }
    const match = /^\/api\/models\/(.+?)(?:\/(revision|tree)\/([^/]+))?$/.exec(pathname);
    if (!this.hasApi || match === null) {
      send(response, 404, {}, { error: "Not Found" });
      return;
    }
    const [, name = "", kind = "revision", revision = "main"] = match;
    const commit = this.#findCommit(response, name, decodeURIComponent(revision));
    if (commit === undefined) return;
    if (kind === "revision") {
      const siblings = [...commit.files.keys()].map((rfilename) => ({ rfilename }));
      send(
        response,
        200,
        {},
        {
          _id: "1",
          id: name,
          modelId: name,
          sha: commit.id,
          private: false,
          gated: false,
          downloads: 0,
          likes: 0,
          lastModified: "2026-01-01T00:00:00.000Z",
          createdAt: "2026-01-01T00:00:00.000Z",
          tags: [],
          siblings,
        },
      );
      return;
    }
    const tree = [...commit.files].map(([filePath, data]) => {
      const size = this.announcedSizes.get(filePath) ?? data.length;
      const lfs = this.#isLfs(data) ? { oid: sha256(data), size, pointerSize: 130 } : undefined;
      return { type: "file", path: filePath, size, oid: gitSha1(data), ...(lfs && { lfs }) };
    });
    send(response, 200, {}, tree);
  }

  #findCommit(response: ServerResponse, name: string, revision: string): Commit | undefined {
    const repo = this.#repos.get(name);
    if (repo === undefined) {
      // As the hub does: it does not tell a stranger whether a repository is private or absent.
      send(response, 401, { "x-error-code": "RepoNotFound" }, { error: "Invalid username or password." });
      return undefined;
    }
    const commit = repo.commits.get(repo.refs.get(revision) ?? revision);
    if (commit === undefined) {
      send(response, 404, { "x-error-code": "RevisionNotFound" }, { error: `Invalid rev id: ${revision}` });
    }
    return commit;
  }

  async #serveFile(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const match = /^\/(.+?)\/resolve\/([^/]+)\/(.+)$/.exec(path);
    if (match === null) return send(response, 404, {}, { error: "Not Found" });
    const [, name = "", revision = "", file = ""] = match;
    const commit = this.#findCommit(response, name, revision);
    if (commit === undefined) return;
    const data = commit.files.get(file);
    const headers: Record<string, string> = { "x-repo-commit": commit.id };
    if (data === undefined) {
      send(response, 404, { ...headers, "x-error-code": "EntryNotFound" }, { error: "Entry not found" });
      return;
    }
    if (this.#isLfs(data)) {
      const oid = sha256(data);
      headers["x-linked-etag"] = `"${oid}"`;
      headers["x-linked-size"] = String(data.length);
      headers["location"] = `${this.cdnUrl}/objects/${oid}/${encodeURIComponent(file)}`;
      response.writeHead(302, headers).end("Found. Redirecting");
      return;
    }
    await this.#sendBytes(request, response, data, `"${gitSha1(data)}"`, headers, this.#faultFor(request, file));
  }

  async #serveObject(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, oid = "", file = ""] = /^\/objects\/([0-9a-f]+)\/(.+)$/.exec(path) ?? [];
    const data = this.#objects.get(oid);
    // A signed address is for GET, and S3 takes a foreign Authorization header for a bad signature.
    if (data === undefined || request.method !== "GET" || request.headers.authorization !== undefined) {
      return send(response, 403, {}, { error: "AccessDenied" });
    }
    const md5 = digest(data, "md5");
    const etag = { strong: `"${md5}-8"`, weak: `W/"${md5}"`, none: undefined }[this.etags];
    await this.#sendBytes(request, response, data, etag, {}, this.#faultFor(request, file));
  }

  #faultFor(request: IncomingMessage, file: string): Fault {
    return request.method === "GET" ? this.#nextFault(file) : { kind: "none" };
  }

  #nextFault(path: string): Fault {
    return this.#faults.get(path)?.shift() ?? { kind: "none" };
  }

  async #sendBytes(
    request: IncomingMessage,
    response: ServerResponse,
    data: Uint8Array,
    etag: string | undefined,
    extra: Record<string, string>,
    fault: Fault,
  ): Promise<void> {
    if (fault.kind === "status") return send(response, fault.status, fault.headers ?? {}, { error: "injected" });
    const headers: Record<string, string> = { "accept-ranges": "bytes", ...extra, ...(etag && { etag }) };
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    const ifRange = request.headers["if-range"];
    const sameVersion = ifRange === undefined || ifRange === etag || fault.kind === "ignore-if-range";
    const partial = from !== undefined && sameVersion && fault.kind !== "ignore-range";
    let start = partial ? Number(from) : 0;
    if (start >= data.length && partial) {
      return send(response, 416, { "content-range": `bytes */${data.length}` }, {});
    }
    if (fault.kind === "wrong-range" && start > 0) start -= 1;
    const end = partial && to ? Math.min(Number(to) + 1, data.length) : data.length;
    let body = Buffer.from(data.buffer, data.byteOffset + start, end - start);
    if (fault.kind === "corrupt") body = Buffer.from(body);
    if (fault.kind === "corrupt") body[fault.at - start] = (body[fault.at - start] ?? 0) ^ 1;
    if (fault.kind === "too-long") body = Buffer.concat([body, Buffer.alloc(fault.extra)]);
    if (partial) headers["content-range"] = `bytes ${start}-${end - 1}/${data.length}`;
    headers["content-length"] = String(body.length + (fault.kind === "lying-length" ? fault.extra : 0));
    response.writeHead(partial ? 206 : 200, headers);
    if (request.method === "HEAD") {
      response.end();
      return;
    }
    const limit = fault.kind === "cut" || fault.kind === "stall" ? fault.after : body.length;
    const { bytes, ms } = this.throttle ?? { bytes: 65536, ms: 0 };
    for (let at = 0; at < Math.min(limit, body.length); at += bytes) {
      await new Promise((resolve) => response.write(body.subarray(at, Math.min(at + bytes, limit)), resolve));
      if (response.destroyed) return;
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    }
    if (fault.kind === "stall") return;
    // What was written must arrive, and be taken up by the client, before the connection breaks.
    if (fault.kind === "cut" || fault.kind === "lying-length") setTimeout(() => response.destroy(), 150);
    else response.end();
  }

  #isLfs(data: Uint8Array): boolean {
    return data.length >= this.lfsFrom;
  }
}

/** Digests of files, which are asked for again and again. */
const known = new WeakMap<Uint8Array, Map<string, string>>();

function digest(data: Uint8Array, algorithm: string, head = ""): string {
  const digests = known.get(data) ?? new Map<string, string>();
  known.set(data, digests);
  const found = digests.get(algorithm) ?? createHash(algorithm).update(head).update(data).digest("hex");
  digests.set(algorithm, found);
  return found;
}

export function sha256(data: Uint8Array): string {
  return digest(data, "sha256");
}

/** `git hash-object`: the SHA-1 of the header `blob <size>\0` and the bytes. */
export function gitSha1(data: Uint8Array): string {
  return digest(data, "sha1", `blob ${data.length}\0`);
}

function send(response: ServerResponse, status: number, headers: Record<string, string>, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
  response.end(JSON.stringify(body));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
