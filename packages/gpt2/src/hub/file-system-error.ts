import { HubError } from "./error.ts";

const HINT = "set HF_HUB_CACHE to a folder that can be written";

/** Puts the failures of the local disk in words; every other error passes through unchanged. */
export function fileSystemError(error: unknown, path: string): unknown {
  if (error instanceof HubError || !(error instanceof Error) || !("syscall" in error) || !("code" in error)) {
    return error;
  }
  const code = String(error.code);
  const place = "path" in error && typeof error.path === "string" ? error.path : path;
  const details = { file: place, cause: error };
  if (code === "ENOSPC" || code === "EDQUOT") {
    const hint = "free some space, or set HF_HUB_CACHE; the part that arrived is kept";
    return new HubError("disk-full", `no space left to write ${place}`, { ...details, hint });
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOTDIR" || code === "EEXIST") {
    return new HubError("not-writable", `cannot write ${place} (${code})`, { ...details, hint: HINT });
  }
  return new HubError("file-system", `cannot write ${place} (${code})`, details);
}
