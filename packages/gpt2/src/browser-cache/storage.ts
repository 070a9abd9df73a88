import { HubError } from "../hub/error.ts";

/** What the cache needs of a browser. */
export interface BrowserStorage {
  /** The origin's private file system. */
  readonly root: FileSystemDirectoryHandle;
  /** Keeps tabs and workers of the origin out of each other's way. */
  readonly locks: LockManager;
  /** What the browser grants the origin, and what it has taken of that. */
  estimate(): Promise<StorageEstimate>;
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
    return { root: await storage.getDirectory(), locks, estimate: () => storage.estimate() };
  } catch (cause) {
    throw noStorage(`this window keeps no files (${(cause as Error).message})`, cause);
  }
}

function noStorage(reason: string, cause?: unknown): HubError {
  return new HubError("no-storage", reason, { cause });
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;

/** Throws {@link HubError} `disk-full` if the browser tells that it will not grant so many bytes more. */
export async function expectSpace(storage: BrowserStorage, what: string, needed: number): Promise<void> {
  const { quota, usage = 0 } = await storage.estimate().catch((): StorageEstimate => ({}));
  if (quota !== undefined && needed > quota - usage) throw noSpace(what, needed, Math.max(0, quota - usage));
}

/** What a failed write means. Other errors pass through unchanged. */
export async function writeError(
  storage: BrowserStorage,
  what: string,
  needed: number,
  error: unknown,
): Promise<unknown> {
  const name = (error as Error | undefined)?.name;
  if (name === "QuotaExceededError") {
    const { quota = 0, usage = 0 } = await storage.estimate().catch((): StorageEstimate => ({}));
    return noSpace(what, needed, Math.max(0, quota - usage), error);
  }
  const isOurs = error instanceof HubError || !(error instanceof DOMException) || name === "AbortError";
  if (isOurs) return error;
  return new HubError("file-system", `${what} cannot be kept in the browser (${(error as Error).message})`, {
    cause: error,
  });
}

function noSpace(what: string, needed: number, available: number, cause?: unknown): HubError {
  const message = `the browser lets this site keep ${megabytes(available)} more, and ${what} needs ${megabytes(needed)}`;
  const hint = "delete other models (deleteCachedModels), or load without keeping it (cache: false)";
  return new HubError("disk-full", message, { hint, needed, available, cause });
}
