import { createHash, randomBytes } from "node:crypto";
import { lstat, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

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

/** A temporary name beside a path, which tells whose it is: `<path>.<host>-<process>-<random>.tmp`. */
export function temporaryPath(path: string): string {
  return `${path}.${HOST}-${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
}

const TEMPORARY = /\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.tmp$/;

/**
 * Removes the files, folders and links that processes which were killed have left under a {@link temporaryPath} of this path.
 *
 * @returns those that are in use, with the process of each
 */
export async function removeAbandoned(path: string): Promise<{ readonly path: string; readonly pid: number }[]> {
  const used: { path: string; pid: number }[] = [];
  for (const name of await readdir(dirname(path))) {
    const [ending, host, pid] = TEMPORARY.exec(name) ?? [];
    if (ending === undefined || name !== basename(path) + ending) continue;
    const temporary = join(dirname(path), name);
    const stats = await lstat(temporary).catch(() => undefined);
    if (stats === undefined) continue;
    if (isAbandoned(host, Number(pid), stats.mtimeMs)) await rm(temporary, { recursive: true, force: true });
    else used.push({ path: temporary, pid: Number(pid) });
  }
  return used;
}
