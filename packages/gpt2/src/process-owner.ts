import { createHash } from "node:crypto";
import { hostname } from "node:os";

/** This machine, in names of files. */
export const HOST = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);

/** What no process has touched for so long is abandoned, whoever owns it: stalled connections end far earlier. */
const ABANDONED_AFTER_MS = 15 * 60_000;
const PROCESS_START_MS = Date.now() - process.uptime() * 1000;

/**
 * Whether nobody works any more on a file or folder whose name tells the process that made it.
 *
 * @param touchedMs when it was written to
 */
export function isAbandoned(host: string | undefined, pid: number, touchedMs: number): boolean {
  // Process numbers are reused, in containers at once.
  if (host === HOST && pid === process.pid) return touchedMs < PROCESS_START_MS;
  if (host === HOST && !isAlive(pid)) return true;
  return Date.now() - touchedMs > ABANDONED_AFTER_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: alive, but another user's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
