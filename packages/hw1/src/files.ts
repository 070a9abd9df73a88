import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";

/**
 * Writes a file under a temporary name in the same folder and then renames it: at `path` is either what was there before
 * or the whole new file.
 *
 * @throws Error that names the file
 */
export async function writeWhole(path: string, data: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, data, { flag: "wx", flush: true });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new Error(`${path}: cannot be written (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}
