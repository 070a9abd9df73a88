import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { HubConnection } from "./connection.ts";
import { HubError } from "./error.ts";
import { fetchPart, type PartObserver, type PartRequest } from "./fetch-part.ts";
import { fileSystemError } from "./file-system-error.ts";
import { PartFile } from "./part-file.ts";
import type { RetryPolicy } from "./retry.ts";
import { verifyFile } from "./verify.ts";

/** One file to download. */
export interface FileRequest extends PartRequest {
  /** Where the verified bytes go; parts lie beside it. */
  readonly blobPath: string;
}

export interface FileObserver extends PartObserver {
  /** An earlier run left this many bytes. */
  onResume?(loaded: number): void;
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

/** Says that the disk is too small before half a model has been fetched, where the system can tell. */
async function checkSpace(request: FileRequest, present: number): Promise<void> {
  const folder = dirname(request.blobPath);
  const info = await statfs(folder).catch(() => undefined);
  const needed = request.size - present;
  if (info === undefined || info.blocks === 0 || needed <= info.bavail * info.bsize) return;
  const message = `not enough space in ${folder}: ${request.file} needs ${needed} more bytes`;
  throw new HubError("disk-full", message, { file: request.file, hint: "free some space, or set HF_HUB_CACHE" });
}
