import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, sep } from "node:path";

export interface PageServerOptions {
  /** Sends the headers that make its pages cross-origin isolated, so that memory can be shared with workers. */
  readonly isolated: boolean;
  /** Files made for the test, by path. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  /** Folders by the path below which they are served. */
  readonly folders: Readonly<Record<string, string>>;
  /** Sent with every answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** False: `Range` is ignored, as by the simplest of servers. */
  readonly ranges?: boolean;
}

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
};

/** A web server on 127.0.0.1 as a page would be published on: files, byte ranges, and headers for isolation. */
export class PageServer {
  readonly requests: RecordedRequest[] = [];
  /** Paths that are more than files. */
  readonly handlers = new Map<string, Handler>();
  readonly #options: PageServerOptions;
  /** Files read so far: a model is asked for in many ranges. */
  readonly #contents = new Map<string, Promise<Uint8Array | undefined>>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  private constructor(options: PageServerOptions) {
    this.#options = options;
  }

  static async start(options: PageServerOptions): Promise<PageServer> {
    const server = new PageServer(options);
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const path = decodeURIComponent(pathname);
    if (this.#options.isolated) {
      response.setHeader("cross-origin-opener-policy", "same-origin");
      response.setHeader("cross-origin-embedder-policy", "require-corp");
    }
    for (const [header, value] of Object.entries(this.#options.headers ?? {})) response.setHeader(header, value);
    const handler = this.handlers.get(path);
    if (handler !== undefined) return handler(request, response);
    this.requests.push({ method: request.method ?? "", path, range: request.headers.range });
    const body = await this.#find(path);
    if (body === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader("content-type", contentTypes[extname(path)] ?? "application/octet-stream");
    this.#send(request, response, body);
  }

  #send(request: IncomingMessage, response: ServerResponse, body: Uint8Array): void {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    let part = body;
    if (first !== undefined && last !== undefined && this.#options.ranges !== false) {
      const end = Math.min(Number(last) + 1, body.length);
      part = body.subarray(Number(first), end);
      response.statusCode = 206;
      response.setHeader("content-range", `bytes ${first}-${end - 1}/${body.length}`);
    }
    response.setHeader("content-length", part.length);
    response.end(request.method === "HEAD" ? undefined : part);
  }

  async #find(path: string): Promise<Uint8Array | undefined> {
    const made = this.#options.files.get(path);
    if (made !== undefined) return Buffer.from(made);
    for (const [prefix, folder] of Object.entries(this.#options.folders)) {
      if (!path.startsWith(prefix)) continue;
      const file = join(folder, path.slice(prefix.length));
      if (!file.startsWith(folder + sep)) return undefined;
      const content = this.#contents.get(file) ?? readFile(file).catch(() => undefined);
      this.#contents.set(file, content);
      return content;
    }
    return undefined;
  }
}
