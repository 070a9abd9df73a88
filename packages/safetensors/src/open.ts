import { type ByteSource, blobSource, memorySource } from "./byte-source.ts";
import { SafetensorsError } from "./errors.ts";
import { type FileHandleLike, handleSource, pathSource } from "./file-source.ts";
import type { HttpOptions } from "./http/options.ts";
import { httpSource } from "./http/source.ts";
import { kindOf } from "./kind.ts";
import { nodeModule } from "./node-modules.ts";
import { fromSource, type SafeTensors } from "./safetensors.ts";
import { displayUrl } from "./transport/display.ts";

/**
 * Where a file comes from: memory; a `Blob` or `File`; in Node a path, a `file:` URL or a `FileHandle`; an `http(s):`
 * URL, whose server must support range requests. In a browser a string is a URL, which may be relative to the page.
 */
export type Source = ArrayBufferLike | ArrayBufferView | Blob | FileHandleLike | URL | string;

/** The HTTP options apply only to URLs; `signal` also stops reading from a path or handle. */
export type OpenOptions = HttpOptions;

/**
 * Opens a safetensors file: reads and checks its header, and nothing else until a tensor is asked for.
 *
 * @throws SafetensorsError see `SafetensorsErrorCode`
 */
export async function open(source: Source, options: OpenOptions = {}): Promise<SafeTensors> {
  return fromSource(await toByteSource(source, options));
}

/** The source's bytes, opened. */
export async function toByteSource(source: Source, options: OpenOptions): Promise<ByteSource> {
  options.signal?.throwIfAborted();
  const location = toLocation(source);
  if (typeof location === "string") return pathSource(location, options.signal);
  if (location !== undefined) return httpSource(location, options);
  if (isBlob(source)) return blobSource(source);
  if (isBytes(source)) return memorySource(source);
  if (isFileHandle(source)) return handleSource(source, options.signal);
  const detail = "expected bytes, a Blob, a path, a FileHandle or a URL";
  throw new SafetensorsError("invalid-source", detail);
}

/**
 * A path as a string, an HTTP URL as a `URL`, undefined for a source that is neither.
 *
 * @throws SafetensorsError `invalid-source` for other URLs
 */
export function toLocation(source: Source): string | URL | undefined {
  if (typeof source !== "string" && kindOf(source) !== "URL") return undefined;
  const file = String(source);
  try {
    const url = typeof source === "string" ? parseUrl(source) : new URL(file);
    if (url === undefined) return file;
    if (url.protocol === "http:" || url.protocol === "https:") return url;
    const path = url.protocol === "file:" ? nodeModule("node:url")?.fileURLToPath(url) : undefined;
    if (path !== undefined) return path;
  } catch {
    // Its error would show the whole URL.
    throw new SafetensorsError("invalid-source", "this is not a valid URL", { file: displayUrl(file) });
  }
  throw new SafetensorsError("invalid-source", "only http: and https: URLs, and file: URLs in Node, can be opened", {
    file: displayUrl(file),
  });
}

/** A string that is a URL. `C:\model` is a path, so only the schemes meant for files count in Node. */
function parseUrl(text: string): URL | undefined {
  if (/^(https?|file):/i.test(text)) return new URL(text);
  const isBrowser = nodeModule("node:url") === undefined;
  return isBrowser ? new URL(text, globalThis.location?.href) : undefined;
}

function isBytes(source: unknown): source is ArrayBufferLike | ArrayBufferView {
  return ArrayBuffer.isView(source) || /^(Shared)?ArrayBuffer$/.test(kindOf(source));
}

function isBlob(source: unknown): source is Blob {
  return /^(Blob|File)$/.test(kindOf(source));
}

function isFileHandle(source: unknown): source is FileHandleLike {
  return (
    typeof source === "object" &&
    source !== null &&
    "read" in source &&
    typeof source.read === "function" &&
    "stat" in source &&
    typeof source.stat === "function"
  );
}
