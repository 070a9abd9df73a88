import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

const DIST = fileURLToPath(new URL("../../site/dist/", import.meta.url));

/** The site's files. */
export const files: ReadonlySet<string> = new Set(
  readdirSync(DIST, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => statSync(join(DIST, path)).isFile()),
);

export const pages = [...files].filter((path) => path.endsWith(".html") && path !== "404.html").sort();

/** The HTML of a page. */
export const read = (page: string): string => readFileSync(join(DIST, page), "utf8");

/** What a link of a page leads to: a file of the site, and a heading; undefined if it leads out of the site. */
export function target(
  page: string,
  link: string,
): { readonly file: string; readonly heading: string | undefined } | undefined {
  if (/^(https?:|mailto:|data:)/.test(link)) return undefined;
  const [path = "", heading] = decodeURI(link.replaceAll("&amp;", "&")).split("#");
  const [file = ""] = path.split("?");
  const found = file === "" ? page : posix.normalize(posix.join(posix.dirname(page), file));
  return { file: files.has(found) ? found : posix.join(found, "index.html"), heading: heading || undefined };
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};

/** The site on a server. */
export interface ServedSite {
  readonly url: string;
  readonly server: Server;
  /** While it is true, nobody gets an answer. */
  isCutOff: boolean;
}

/** Serves the site below a path that its build did not know. */
export async function serveSite(base: string): Promise<ServedSite> {
  const server = createServer((request, response) => {
    if (served.isCutOff) {
      request.socket.destroy();
      return;
    }
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    const name = path.startsWith(base) ? path.slice(base.length).replace(/(^|\/)$/, "$1index.html") : undefined;
    if (name === undefined || !files.has(name)) {
      response.writeHead(path === "/favicon.ico" ? 204 : 404).end();
      return;
    }
    response.setHeader("cache-control", "max-age=3600");
    response.setHeader("content-type", types[extname(name)] ?? "application/octet-stream");
    response.end(readFileSync(join(DIST, name)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const served = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${base}`, server, isCutOff: false };
  return served;
}
