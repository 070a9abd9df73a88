import { type FileHandle, open, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { HubConnection, OpenResponse } from "./connection.ts";
import { HubError } from "./error.ts";
import { normalizeEtag, strongEtag } from "./etag.ts";
import { fileSystemError } from "./file-system-error.ts";
import { PartFile } from "./part-file.ts";
import { type RetryNotice, type RetryPolicy, withRetries } from "./retry.ts";
import { type Digest, digestOfEtag, verifyFile } from "./verify.ts";

/** New bytes that count as progress and restore the retries. */
const PROGRESS_BYTES = 2 ** 20;

/** One file to fetch. */
export interface FileRequest {
  readonly url: string;
  /** Its name in the repository, for messages. */
  readonly file: string;
  readonly size: number;
  readonly digest: Digest;
  /** The ETag the repository listing gave, normalized. */
  readonly etag: string;
  /** Where the verified bytes go; parts lie beside it. */
  readonly blobPath: string;
}

export interface FileObserver {
  /** Bytes of this file on disk so far, those of an earlier run included. May fall when the file starts over. */
  onBytes?(loaded: number): void;
  /** An earlier run left this many bytes. */
  onResume?(loaded: number): void;
  onRetry?(notice: RetryNotice): void;
  onVerify?(): void;
}

/**
 * Fetches one file over plain HTTP. Continues a part that an earlier try or run left, with `Range` and `If-Range`, so that bytes
 * of two versions are never joined (RFC 9110, section 13.1.5); verifies what is on the disk; then moves it to its place in one
 * step.
 *
 * @throws HubError; a part worth continuing is kept, one whose checksum is wrong is not
 */
export async function downloadFile(
  connection: HubConnection,
  request: FileRequest,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  observer: FileObserver = {},
): Promise<void> {
  const { blobPath, file } = request;
  let part: PartFile | undefined;
  try {
    part = await PartFile.claim(blobPath);
    const resumed = part.length > 0;
    if (resumed) observer.onResume?.(part.length);
    await checkSpace(request, part.length);
    await fetchPart(connection, request, part, policy, signal, observer);
    observer.onVerify?.();
    try {
      await verifyFile(part.path, file, request.size, request.digest, signal);
    } catch (error) {
      if (!resumed || !(error instanceof HubError)) throw error;
      // The earlier run's bytes may be at fault (a full disk, a power cut), and the file itself be sound.
      await part.restart(undefined);
      await fetchPart(connection, request, part, policy, signal, observer);
      await verifyFile(part.path, file, request.size, request.digest, signal);
    }
    await part.finish(blobPath);
  } catch (error) {
    const worthless = error instanceof HubError && WORTHLESS_AFTER.has(error.code);
    // Cleaning up must not hide what went wrong.
    await (worthless ? part?.discard() : part?.release())?.catch(() => undefined);
    throw fileSystemError(error, blobPath);
  }
}

const WORTHLESS_AFTER = new Set(["checksum", "size", "changed"]);

async function fetchPart(
  connection: HubConnection,
  request: FileRequest,
  part: PartFile,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  observer: FileObserver,
): Promise<void> {
  // Bytes that replace others of before are no progress: a server that cuts every answer would be asked without end.
  let furthest = part.length;
  const attempt = async (progressed: () => void) => {
    const onBytes = () => {
      if (part.length >= furthest + PROGRESS_BYTES) {
        furthest = part.length;
        progressed();
      }
      observer.onBytes?.(part.length);
    };
    await fetchOnce(connection, request, part, onBytes);
  };
  await withRetries(policy, signal, attempt, observer.onRetry?.bind(observer));
}

async function fetchOnce(
  connection: HubConnection,
  request: FileRequest,
  part: PartFile,
  onBytes: () => void,
): Promise<void> {
  const { url, file, size } = request;
  if (part.validator === undefined || part.length > size) await part.restart(undefined);
  if (part.length === size && part.validator !== undefined) return;

  const headers: Record<string, string> =
    part.validator !== undefined && part.length > 0
      ? { range: `bytes=${part.length}-`, "if-range": part.validator }
      : {};
  let opened: OpenResponse;
  try {
    opened = await connection.open(url, { headers, file });
  } catch (error) {
    if (!(error instanceof HubError) || (error.status !== 416 && error.status !== 412)) throw error;
    // The server no longer has such a range of this version.
    await part.restart(undefined);
    opened = await connection.open(url, { file });
  }
  try {
    refuseOtherVersion(opened, request);
    if (!continues(opened.response, part, size)) {
      if (opened.response.status !== 200) {
        refuseOtherSize(opened.response, request, part.length);
        await part.restart(undefined);
        const { status } = opened.response;
        const message = `${url} answered ${status} with a range that was not asked for`;
        throw new HubError("protocol", message, { url, file, status, transient: true });
      }
      await part.restart(strongEtag(opened.response));
    }
    onBytes();
    await append(opened, part, request, onBytes);
  } finally {
    opened.close();
  }
  if (part.length < size) {
    refuseOtherSize(opened.response, request, part.length);
    throw new HubError("connection-lost", `${file} ended after ${part.length} of ${size} bytes`, {
      url,
      file,
      transient: true,
    });
  }
}

/** @returns whether this answer holds exactly the bytes that follow those of the part, of the same version */
function continues(response: Response, part: PartFile, size: number): boolean {
  if (response.status !== 206 || part.length === 0) return false;
  const encoding = response.headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity") return false;
  const [, first, last, total] =
    /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "") ?? [];
  if (Number(first) !== part.length || Number(last) >= size || (total !== "*" && Number(total) !== size)) return false;
  const etag = response.headers.get("etag");
  return etag === null || etag === part.validator;
}

/** The server's answer was whole, and is no file of the size that was listed: another try would end like this one. */
function refuseOtherSize({ status, headers }: Response, { url, file, size }: FileRequest, received: number): void {
  // The end of a chunked body is told, and the body of another length would have been an error.
  const whole = headers.get("transfer-encoding") === "chunked" ? String(received) : headers.get("content-length");
  const total = status === 206 ? headers.get("content-range")?.split("/")[1] : whole;
  const isItself = (headers.get("content-encoding") ?? "identity") === "identity";
  if (!isItself || !/^\d+$/.test(total ?? "") || Number(total) === size) return;
  throw new HubError("size", `${file} has ${total} bytes on the server, which listed it with ${size}`, { url, file });
}

/** The listing named a hash; when the hub now announces another one, the repository has changed in between. */
function refuseOtherVersion(opened: OpenResponse, request: FileRequest): void {
  const announced = normalizeEtag(opened.hubHeaders.get("x-linked-etag") ?? opened.hubHeaders.get("etag"));
  if (announced === undefined || announced === request.etag) return;
  const { kind } = digestOfEtag(announced);
  if (kind !== "none" && kind === request.digest.kind) {
    const message = `${request.file} changed on the server while it was being downloaded`;
    throw new HubError("changed", message, { url: request.url, file: request.file, hint: "download it again" });
  }
}

async function append(opened: OpenResponse, part: PartFile, request: FileRequest, onBytes: () => void): Promise<void> {
  const handle = await open(part.path, "r+");
  try {
    for await (const chunk of opened.body()) {
      if (part.length + chunk.length > request.size) {
        const message = `the server sends more than the ${request.size} bytes it announced for ${request.file}`;
        throw new HubError("size", message, { url: request.url, file: request.file });
      }
      await writeAll(handle, chunk, part.length);
      part.length += chunk.length;
      onBytes();
    }
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    const { bytesWritten } = await handle.write(chunk, written, chunk.length - written, position + written);
    written += bytesWritten;
  }
}

/** Says that the disk is too small before half a model has been fetched, where the system can tell. */
async function checkSpace(request: FileRequest, present: number): Promise<void> {
  const folder = dirname(request.blobPath);
  const info = await statfs(folder).catch(() => undefined);
  const needed = request.size - present;
  if (info === undefined || info.blocks === 0 || needed <= info.bavail * info.bsize) return;
  const message = `not enough space in ${folder}: ${request.file} needs ${needed} more bytes`;
  throw new HubError("disk-full", message, { file: request.file, hint: "free some space, or set HF_HUB_CACHE" });
}
