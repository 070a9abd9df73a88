import { HubError } from "../hub/error.ts";
import { type Changes, openChanges } from "./changes.ts";

/** What the cache needs of a browser. */
export interface BrowserStorage {
  /** The origin's private file system. */
  readonly root: FileSystemDirectoryHandle;
  /** Keeps tabs and workers of the origin out of each other's way. */
  readonly locks: LockManager;
  /** What the browser grants the origin, and what it has taken of that. */
  estimate(): Promise<StorageEstimate>;
  /** The line to all who watch what is kept. */
  changes(): Changes;
}

/** @throws HubError `no-storage`, which says why a page may keep nothing here */
export async function openStorage(): Promise<BrowserStorage> {
  const { storage, locks } = globalThis.navigator ?? {};
  if (storage?.getDirectory === undefined || locks === undefined) {
    throw noStorage(
      globalThis.isSecureContext === false ? "pages keep files only over https" : "there is no storage here",
    );
  }
  if (globalThis.FileSystemFileHandle?.prototype.createWritable === undefined) {
    throw noStorage("this browser writes no files here");
  }
  try {
    return { root: await storage.getDirectory(), locks, estimate: () => storage.estimate(), changes: openChanges };
  } catch (cause) {
    throw noStorage(`this window keeps no files (${(cause as Error).message})`, cause);
  }
}

function noStorage(reason: string, cause?: unknown): HubError {
  return new HubError("no-storage", reason, { cause });
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;

/** What the browser says that it will still grant. Chromium says 10 GB whatever there is, so that nobody is recognized by it. */
async function availableIn(storage: BrowserStorage): Promise<number | undefined> {
  const { quota, usage = 0 } = await storage.estimate().catch((): StorageEstimate => ({}));
  return quota === undefined ? undefined : Math.max(0, quota - usage);
}

/** Throws {@link HubError} `disk-full` if the browser tells that it will not grant so many bytes more. */
export async function expectSpace(storage: BrowserStorage, what: string, needed: number): Promise<void> {
  const available = await availableIn(storage);
  if (available !== undefined && needed > available) throw noSpace(what, needed, available);
}

/**
 * What a failed write means. Other errors pass through unchanged, and so does that of a load that was aborted.
 *
 * @param needed the bytes of `what` that have not been written; undefined where nobody knows yet
 */
export async function writeError(
  storage: BrowserStorage,
  what: string,
  needed: number | undefined,
  error: unknown,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  if (signal?.aborted || error instanceof HubError || !(error instanceof DOMException)) return error;
  if (error.name === "QuotaExceededError") {
    const available = await availableIn(storage);
    const isBelievable = available !== undefined && needed !== undefined && available < needed;
    return noSpace(what, needed, isBelievable ? available : undefined, error);
  }
  const message = `${what} cannot be kept in the browser (${error.message})`;
  return new HubError("file-system", message, { cause: error });
}

function noSpace(what: string, needed: number | undefined, available: number | undefined, cause?: unknown): HubError {
  const more = available === undefined ? "no more" : `${megabytes(available)} more`;
  const need = needed === undefined ? "room" : megabytes(needed);
  const message = `the browser lets this site keep ${more}, and ${what} needs ${need}`;
  const hint = "delete other models (deleteCachedModels), or load without keeping it (cache: false)";
  return new HubError("disk-full", message, { hint, needed, available, cause });
}
