import { rm, writeFile } from "node:fs/promises";
import { removeAbandoned, temporaryPath } from "./process-owner.ts";
import { replace } from "./replace.ts";
import { written } from "./written.ts";

/**
 * Writes a file under a temporary name in the same folder and then renames it: at `path` is either what was there before
 * or the whole new file. What a killed process left of it is removed.
 *
 * @throws Error that names the file; its `cause` is the file system's error
 */
export async function writeWhole(path: string, data: string | Uint8Array): Promise<void> {
  await written(path, replaceFile(path, data));
}

/**
 * The same for callers with words of their own.
 *
 * @throws the file system's error
 */
export async function replaceFile(path: string, data: string | Uint8Array): Promise<void> {
  await removeAbandoned(path);
  const temporary = temporaryPath(path);
  try {
    await writeFile(temporary, data, { flag: "wx", flush: true });
    await replace(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
