import type { ByteReader, ByteSource } from "./byte-source.ts";
import { SafetensorsError } from "./errors.ts";

export interface HttpOptions {
  /** Sent with each request, such as `Authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Aborts requests and reads under way; they reject with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Used in place of the global `fetch`. */
  readonly fetch?: typeof fetch | undefined;
}

/** The first request: it brings the file's size, and for most files the whole header. */
const FIRST_REQUEST_BYTES = 64 * 2 ** 10;

interface RangeResponse {
  readonly response: Response;
  readonly begin: number;
  readonly end: number;
  readonly size: number;
}

/**
 * A file at a URL, read with HTTP range requests (RFC 9110, section 14), one for each tensor. Every response is
 * checked against what was asked for, and against the file seen first: a file that changes is an error, not a mixture.
 *
 * @throws SafetensorsError `http-status`, `range-unsupported`, `invalid-response`, `read-failed`
 */
export async function httpSource(url: URL, options: HttpOptions): Promise<ByteSource> {
  const file = displayUrl(url);
  const first = await requestRange(url, 0, FIRST_REQUEST_BYTES, options);
  const { size } = first;
  const version = versionOf(first.response);
  const expected = Math.min(FIRST_REQUEST_BYTES, size);
  const prefix = new Uint8Array(expected);
  const body = bodyReader(first.response, file, options.signal);
  try {
    if (expected > 0) checkRange(first, 0, expected, file);
    await body.fill(prefix);
  } finally {
    await body.close();
  }

  async function request(position: number, length: number): Promise<ByteReader> {
    const range = await requestRange(url, position, length, options);
    try {
      if (range.size !== size || versionOf(range.response) !== version) {
        throw new SafetensorsError("source-changed", "the file changed while it was being read", { file });
      }
      checkRange(range, position, length, file);
    } catch (error) {
      await range.response.body?.cancel();
      throw error;
    }
    return bodyReader(range.response, file, options.signal);
  }

  return {
    name: file,
    size,
    reader(position, length) {
      let left = length;
      let body: ByteReader | undefined;
      return {
        async fill(target) {
          const known = prefix.subarray(position, position + target.byteLength);
          const rest = target.subarray(known.byteLength);
          target.set(known);
          if (rest.byteLength > 0) {
            body ??= await request(position + known.byteLength, left - known.byteLength);
            await body.fill(rest);
          }
          position += target.byteLength;
          left -= target.byteLength;
        },
        close: async () => body?.close(),
      };
    },
    async close() {},
  };
}

/**
 * Downloads a whole small file.
 *
 * @throws SafetensorsError `http-status`, `read-failed`, `too-large` if it is longer than `limit` bytes
 */
export async function download(url: URL, limit: number, options: HttpOptions) {
  const file = displayUrl(url);
  const response = await get(url, {}, options);
  if (response.status !== 200) throw await statusError(response, file);
  const body = bodyPieces(response, file, options.signal);
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for (let piece = await body.next(); piece !== undefined; piece = await body.next()) {
      length += piece.byteLength;
      if (length > limit) throw new SafetensorsError("too-large", `it is longer than ${limit} bytes`, { file });
      pieces.push(piece);
    }
  } finally {
    await body.close();
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.byteLength;
  }
  return { file, bytes };
}

/** The URL without what may be secret: user, password, and the query of signed URLs. */
function displayUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

async function get(url: URL, headers: Record<string, string>, options: HttpOptions): Promise<Response> {
  const { fetch = globalThis.fetch, signal } = options;
  try {
    return await fetch(url, {
      headers: { ...options.headers, ...headers },
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new SafetensorsError("read-failed", "the request failed", { file: displayUrl(url), cause });
  }
}

async function requestRange(url: URL, begin: number, length: number, options: HttpOptions): Promise<RangeResponse> {
  const file = displayUrl(url);
  const response = await get(url, { range: `bytes=${begin}-${begin + length - 1}` }, options);
  const contentRange = response.headers.get("content-range");
  // No range of an empty file can be satisfied: 416, with its size.
  if (response.status === 416 && contentRange === "bytes */0") return { response, begin: 0, end: 0, size: 0 };
  if (response.status === 200) {
    await response.body?.cancel();
    const detail = "the server ignores range requests and would send the whole file; fetch it and use parse() instead";
    throw new SafetensorsError("range-unsupported", detail, { file });
  }
  if (response.status !== 206) throw await statusError(response, file);
  const [, first, last, size] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(contentRange ?? "") ?? [];
  if (first === undefined || last === undefined || size === undefined) {
    await response.body?.cancel();
    const found =
      contentRange === null ? "has no Content-Range (or CORS hides it)" : `has Content-Range: ${contentRange}`;
    throw new SafetensorsError("invalid-response", `the partial response ${found}`, { file });
  }
  return { response, begin: Number(first), end: Number(last) + 1, size: Number(size) };
}

function checkRange({ begin, end, size }: RangeResponse, position: number, length: number, file: string): void {
  if (begin === position && end === position + length && end <= size) return;
  const detail = `asked for bytes ${position} to ${position + length}, the server sent ${begin} to ${end} of ${size}`;
  throw new SafetensorsError("invalid-response", detail, { file });
}

/** What changes when the file does, as far as the server says. */
function versionOf({ headers }: Response): string {
  return JSON.stringify([headers.get("etag"), headers.get("last-modified")]);
}

async function statusError(response: Response, file: string): Promise<SafetensorsError> {
  await response.body?.cancel();
  return new SafetensorsError("http-status", `the server answered ${response.status} ${response.statusText}`, { file });
}

/** Reads a response's body in pieces; undefined at its end. */
function bodyPieces(response: Response, file: string, signal: AbortSignal | undefined) {
  const body = response.body?.getReader();
  return {
    async next(): Promise<Uint8Array | undefined> {
      try {
        return (await body?.read())?.value;
      } catch (cause) {
        signal?.throwIfAborted();
        throw new SafetensorsError("truncated", "the connection broke before the response was complete", {
          file,
          cause,
        });
      }
    },
    async close(): Promise<void> {
      // Fails when the connection is already broken, which next() has reported.
      await body?.cancel().catch(() => {});
    },
  };
}

function bodyReader(response: Response, file: string, signal: AbortSignal | undefined): ByteReader {
  const pieces = bodyPieces(response, file, signal);
  let piece: Uint8Array | undefined;
  return {
    async fill(target) {
      for (let done = 0; done < target.byteLength; ) {
        if (piece === undefined || piece.byteLength === 0) {
          piece = await pieces.next();
          if (piece === undefined) {
            const detail = `the response ended ${target.byteLength - done} or more bytes too early`;
            throw new SafetensorsError("truncated", detail, { file });
          }
        }
        const part = piece.subarray(0, target.byteLength - done);
        target.set(part, done);
        done += part.byteLength;
        piece = piece.subarray(part.byteLength);
      }
    },
    close: pieces.close,
  };
}
