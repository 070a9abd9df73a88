import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { serialize } from "safetensors-ts";

/** Bytes without end, some at a time, as long as somebody takes them. */
function pour(response: ServerResponse, piece: Uint8Array, pause = 0): void {
  const more = (): void => {
    if (response.destroyed) return;
    if (pause > 0) {
      response.write(piece);
      setTimeout(more, pause);
    } else if (response.write(piece)) setImmediate(more);
    else response.once("drain", more);
  };
  more();
}

/** What a request asked for. */
interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  /** The right answer's body. */
  readonly body: Uint8Array;
  readonly path: string;
  /** How many requests came before. */
  readonly count: number;
  /** Gives the right answer, with other headers or status where told. */
  right(headers?: Record<string, string>, body?: Uint8Array): void;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const redirect =
  (where: (asked: Asked) => string) =>
  (asked: Asked): void =>
    void asked.response.writeHead(302, { location: where(asked) }).end();
const status =
  (code: number, headers: Record<string, string> = {}) =>
  ({ response }: Asked): void =>
    void response.writeHead(code, headers).end("no");
const isTree = ({ path }: Asked): boolean => path.includes("/tree/");
const isFile = ({ path }: Asked): boolean => !path.startsWith("/api/");
/** Only for answers of this kind; the others are right. */
const only =
  (kind: (asked: Asked) => boolean, answer: (asked: Asked) => void) =>
  (asked: Asked): void =>
    kind(asked) ? answer(asked) : asked.right();
/** The tree, changed. */
const tree = (change: (entries: Record<string, unknown>[]) => unknown) =>
  only(isTree, (asked) =>
    asked.right({}, text(JSON.stringify(change(JSON.parse(Buffer.from(asked.body).toString()))))),
  );
const pages = (next: (asked: Asked) => string, files = 1) =>
  only(isTree, (asked) => {
    const entries = Array.from({ length: files }, (_, i) => ({
      type: "file",
      path: `${asked.count}-${i}`,
      size: 1,
      oid: "0".repeat(40),
    }));
    asked.right({ link: `<${next(asked)}>; rel="next"` }, text(JSON.stringify(entries)));
  });
const pathOf = ({ request }: Asked): string => `http://${request.headers.host}${request.url}`;
/** 16 MiB of zeros in 16 kB. */
const bomb = gzipSync(Buffer.alloc(16 * 2 ** 20));

/** What a server may do to those who read from it. */
export const hostilities = {
  silence: () => {},
  "silence after the headers": ({ response }: Asked) => response.writeHead(200).flushHeaders(),
  "silence in the middle": ({ response, body }: Asked) => void response.writeHead(200).write(body.subarray(0, 100)),
  "a trickle": ({ response }: Asked) => pour(response.writeHead(200), text(" "), 40),
  "a trickle of headers": ({ socket }: Asked) => {
    socket.write("HTTP/1.1 200 OK\r\n");
    const timer = setInterval(() => socket.write("x: y\r\n"), 40);
    socket.on("close", () => clearInterval(timer));
  },
  "headers without end": ({ socket }: Asked) => {
    socket.write("HTTP/1.1 200 OK\r\n");
    const more = (): void => {
      if (!socket.destroyed) socket.write(`x: ${"y".repeat(60_000)}\r\n`, () => setImmediate(more));
    };
    more();
  },
  "interim answers without end": ({ socket }: Asked) => {
    const timer = setInterval(() => socket.write("HTTP/1.1 103 Early Hints\r\n\r\n"), 5);
    socket.on("close", () => clearInterval(timer));
  },
  "a body without end": ({ response }: Asked) => pour(response.writeHead(200), Buffer.alloc(2 ** 20, 0x20)),
  "a body without end, compressed": ({ response }: Asked) =>
    pour(response.writeHead(200, { "content-encoding": "gzip" }), bomb),
  "a body that is not compressed as it says": (asked: Asked) => asked.right({ "content-encoding": "gzip" }),
  "a compression that nobody knows": (asked: Asked) => asked.right({ "content-encoding": "rot13" }, text("¯\\_")),
  "a longer body announced than sent": ({ response, body }: Asked) => {
    response.writeHead(200, { "content-length": String(body.length + 1000) }).write(body);
    setTimeout(() => response.destroy(), 20);
  },
  "a shorter body announced than sent": ({ socket }: Asked) => {
    socket.end("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{}more and more");
  },
  "two lengths": ({ socket }: Asked) => {
    socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}}");
  },
  "a chunk of a wrong length": ({ socket }: Asked) => {
    socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n{}\r\n");
  },
  "a connection cut at once": ({ socket }: Asked) => socket.resetAndDestroy(),
  "a connection cut after 100 bytes": ({ response, body }: Asked) => {
    response.writeHead(200, { "content-length": String(body.length + 100) }).write(body.subarray(0, 100));
    setTimeout(() => response.destroy(), 20);
  },
  "ranges ignored, and a cut at 2 MB": only(isFile, ({ response, body }) => {
    response.writeHead(200, { "content-length": String(body.length + 1) }).write(body.subarray(0, 2_000_000));
    setTimeout(() => response.destroy(), 50);
  }),
  "something that is not HTTP": ({ socket }: Asked) => void socket.end("SSH-2.0-OpenSSH_9.6\r\n"),
  "a redirect to itself": redirect(pathOf),
  "redirects without end": redirect((asked) => `${pathOf(asked)}x`),
  "a redirect to a file": redirect(() => "file:///etc/passwd"),
  "a redirect to nobody": redirect(() => "http://127.0.0.1:1/"),
  "a redirect to a port where nobody listens": redirect(() => "http://127.0.0.1:59998/"),
  "a redirect to an unknown host": redirect(() => "http://no-such-host.invalid/"),
  "a redirect without address": status(302),
  "status 500": status(500),
  "status 403": status(403),
  "status 429 and an hour to wait": status(429, { "retry-after": "3600" }),
  "status 204": status(204),
  "status 299": status(299),
  "a page for everything": ({ response }: Asked) =>
    void response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Log in</title>"),
  "30 million brackets": ({ response }: Asked) =>
    void response.writeHead(200, { "content-type": "application/json" }).end(Buffer.alloc(30_000_000, "[")),
  "7 million brackets": ({ response }: Asked) =>
    void response.writeHead(200, { "content-type": "application/json" }).end(Buffer.alloc(7_000_000, "[")),
  "another version each time": only(isFile, (asked) => asked.right({ etag: `"${asked.count}"` })),
  "a listing that is its own next page": pages(pathOf),
  "pages without end": pages((asked) => `${pathOf(asked).replace(/\?.*/, "")}?cursor=${asked.count}`),
  "files without end": pages((asked) => `${pathOf(asked).replace(/\?.*/, "")}?cursor=${asked.count}`, 2000),
  "a next page that is no web address": pages(() => "file:///etc/passwd"),
  "sizes 1000 too large": tree((entries) => entries.map((entry) => ({ ...entry, size: Number(entry["size"]) + 1000 }))),
  "sizes 1 too small": tree((entries) => entries.map((entry) => ({ ...entry, size: Number(entry["size"]) - 1 }))),
  "sizes of petabytes": tree((entries) => entries.map((entry) => ({ ...entry, size: 2 ** 52 }))),
  "hashes of other files": tree((entries) => entries.map((entry) => ({ ...entry, oid: "0".repeat(40) }))),
  "file names that lead out": tree((entries) =>
    entries.map((entry) => ({ ...entry, path: `../../${String(entry["path"])}` })),
  ),
  "a listing of nonsense": tree(() => [null, 1, [], { type: "file" }, { type: "file", path: 5, size: "x", oid: {} }]),
  "a listing that is no list": tree(() => ({ error: "no" })),
} satisfies Record<string, (asked: Asked) => void>;

export type Hostility = keyof typeof hostilities;

const COMMIT = "c".repeat(40);
const checkpoint = serialize({ a: { dtype: "U8", shape: [3_000_000], data: new Uint8Array(3_000_000).fill(7) } });

/** The files of a model, on the hub as `org/name` and in the folder `/model`. */
const files: Readonly<Record<string, Uint8Array>> = {
  "config.json": text('{"model_type":"gpt2"}'),
  "vocab.json": text('{"a":0}'),
  "merges.txt": text("#version: 0.2\n"),
  "model.safetensors": checkpoint,
};

/** A server on 127.0.0.1 that does this to whoever asks it. */
export async function startHostileServer(hostility: Hostility | "none") {
  let requests = 0;
  const paths: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, "http://localhost");
    paths.push(pathname);
    const body = rightBody(pathname);
    const right = (headers: Record<string, string> = {}, other = body): void => {
      const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
      if (other === undefined) return void response.writeHead(404, headers).end();
      if (from === undefined) return void response.writeHead(200, headers).end(other);
      const end = Math.min(to ? Number(to) + 1 : Infinity, other.length);
      const range = { "content-range": `bytes ${from}-${end - 1}/${other!.length}` };
      response.writeHead(206, { ...range, ...headers }).end(other.subarray(Number(from), end));
    };
    const etag = body && createHash("sha1").update(`blob ${body.length}\0`).update(body).digest("hex");
    if (etag && !pathname.startsWith("/api/")) response.setHeader("etag", `"${etag}"`);
    response.setHeader("x-repo-commit", COMMIT);
    const count = requests++;
    // Files that the model does not have are not there, but for redirects, which know no end.
    if (hostility === "none" || (body === undefined && !hostility.startsWith("redirects"))) return right();
    hostilities[hostility]({
      request,
      response,
      socket: request.socket,
      body: body ?? text(""),
      path: pathname,
      count,
      right,
    });
  });
  server.on("clientError", (_, socket) => socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Paths that were asked for. */
    paths,
    connections: () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count))),
    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function rightBody(path: string): Uint8Array | undefined {
  const name = path.split("/").at(-1)!;
  if (path.startsWith("/model/") || path.includes("/resolve/")) return files[name];
  if (path.includes("/tree/")) {
    return text(
      JSON.stringify(
        Object.entries(files).map(([path, body]) => ({
          type: "file",
          path,
          size: body.length,
          oid: createHash("sha1").update(`blob ${body.length}\0`).update(body).digest("hex"),
        })),
      ),
    );
  }
  const info = { _id: "1", id: "org/name", sha: COMMIT, private: false, gated: false, downloads: 0, likes: 0 };
  return text(JSON.stringify({ ...info, lastModified: "2026-01-01T00:00:00.000Z", tags: [], siblings: [] }));
}
