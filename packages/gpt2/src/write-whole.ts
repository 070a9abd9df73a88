import { rm, writeFile } from "node:fs/promises";
import { removeAbandoned, temporaryPath } from "./process-owner.ts";
import { replace } from "./replace.ts";

/**
 * Writes a file under a temporary name in the same folder and then renames it: at `path` is either what was there before
 * or the whole new file. What a killed process left of it is removed.
 *
 * @throws the file system's error
 */
export async function writeWhole(path: string, data: string | Uint8Array): Promise<void> {
  await removeAbandoned(path);
  const temporary = temporaryPath(path);
  try {
    await writeFile(temporary, data, { flag: "wx", flush: true });
    await replace(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
