import { rename as renameFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds between tries: two seconds in all. */
const PAUSES = [10, 20, 50, 100, 200, 400, 600, 620];

/**
 * Renames, over what is there. Windows refuses for a moment while somebody has one of the files open, such as a virus scanner:
 * there it is tried again.
 */
export async function replace(
  from: string,
  to: string,
  { platform = process.platform, rename = renameFile } = {},
): Promise<void> {
  for (const pause of platform === "win32" ? PAUSES : []) {
    try {
      return await rename(from, to);
    } catch (error) {
      if (!MAY_PASS.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
      await sleep(pause);
    }
  }
  await rename(from, to);
}

const MAY_PASS = new Set(["EPERM", "EACCES", "EBUSY"]);
