import { rename, rm, writeFile } from "node:fs/promises";
import { removeAbandoned, temporaryPath } from "@gpt2-ts/gpt2/node";

/**
 * Writes a file under a temporary name in the same folder and then renames it: at `path` is either what was there before
 * or the whole new file. What a killed run left of it is removed.
 *
 * @throws Error that names the file
 */
export async function writeWhole(path: string, data: string | Uint8Array): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    await removeAbandoned(path);
    await writeFile(temporary, data, { flag: "wx", flush: true });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new Error(`${path}: cannot be written (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}
