import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { getHFHubCachePath } from "@huggingface/hub";
import { HubError } from "./error.ts";
import { DEFAULT_ENDPOINT } from "./file-url.ts";

const DEFAULT_STALL_SECONDS = 30;

/** @returns the hub's address without a trailing slash: the option, else `HF_ENDPOINT`, else the public hub */
export function resolveEndpoint(endpoint: string | undefined): string {
  const text = endpoint ?? (process.env["HF_ENDPOINT"]?.trim() || DEFAULT_ENDPOINT);
  const source = endpoint === undefined ? "HF_ENDPOINT" : "the endpoint";
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new HubError("invalid-option", `${source} is not a URL: ${JSON.stringify(text)}`, { cause });
  }
  if ((url.protocol !== "http:" && url.protocol !== "https:") || url.username || url.password || url.search) {
    throw new HubError("invalid-option", `${source} must be a plain http or https address, without user or query`);
  }
  return url.href.replace(/[/#]+$/, "");
}

/**
 * The access token: the option (`false` for none), else `HF_TOKEN` (or its old name `HUGGING_FACE_HUB_TOKEN`), else the file that
 * `hf auth login` writes (`HF_TOKEN_PATH`, or `token` in `HF_HOME`). An empty variable counts as none, as in `huggingface_hub`.
 */
export function resolveToken(token: string | false | undefined): string | undefined {
  if (token === false) return undefined;
  const { env } = process;
  const found = cleaned(token ?? (cleaned(env["HF_TOKEN"] || env["HUGGING_FACE_HUB_TOKEN"]) || readTokenFile()));
  if (!found) return undefined;
  // fetch would quote a malformed header value, and so the token, in its error.
  if (!/^[\x21-\x7e]+$/.test(found)) {
    throw new HubError("invalid-option", "the access token holds spaces or characters that no token has", {
      hint: "check HF_TOKEN",
    });
  }
  return found;
}

function cleaned(token: string | undefined): string | undefined {
  return token?.replace(/[\r\n]/g, "").trim();
}

function readTokenFile(): string | undefined {
  try {
    return readFileSync(expandHome(process.env["HF_TOKEN_PATH"] || join(hubHome(), "token")), "utf8");
  } catch {
    // Not logged in; a public model needs no token, and a private one is refused with a hint.
    return undefined;
  }
}

function hubHome(): string {
  const { HF_HOME: home, XDG_CACHE_HOME: caches } = process.env;
  return home || join(caches || join(homedir(), ".cache"), "huggingface");
}

/** @returns the absolute cache folder: the option, else `HF_HUB_CACHE`, else `hub` in `HF_HOME` */
export function resolveCacheDir(cacheDir: string | undefined): string {
  return resolve(expandHome(cacheDir ?? getHFHubCachePath()));
}

function expandHome(path: string): string {
  return /^~(?=$|[/\\])/.test(path) ? homedir() + path.slice(1) : path;
}

/** @returns whether the network must not be used: the option, else `HF_HUB_OFFLINE` */
export function resolveOffline(offline: boolean | undefined): boolean {
  return offline ?? isTrue(process.env["HF_HUB_OFFLINE"]);
}

/** @returns whether snapshots must hold files instead of links (`HF_HUB_DISABLE_SYMLINKS`) */
export function symlinksDisabled(): boolean {
  return isTrue(process.env["HF_HUB_DISABLE_SYMLINKS"]);
}

/** @returns milliseconds without a byte after which a connection counts as stalled */
export function resolveStallTimeout(milliseconds: number | undefined): number {
  const value = milliseconds ?? Number(process.env["HF_HUB_DOWNLOAD_TIMEOUT"] || DEFAULT_STALL_SECONDS) * 1000;
  if (!(value > 0 && value < 2 ** 31)) {
    throw new HubError("invalid-option", `the stall timeout must be a positive number of milliseconds, not ${value}`);
  }
  return value;
}

function isTrue(value: string | undefined): boolean {
  return /^(?:1|on|yes|true)$/i.test(value ?? "");
}
