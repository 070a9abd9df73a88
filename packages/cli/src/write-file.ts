import { rename, rm, writeFile } from "node:fs/promises";
import { removeAbandoned, temporaryPath } from "@gpt2-ts/gpt2/node";

/** Writes a file beside the one named, and puts it in its place when it is complete. */
export async function writeNewFile(path: string, content: Uint8Array, signal: AbortSignal): Promise<void> {
  await removeAbandoned(path).catch(() => {}); // why the folder cannot be read, writing tells
  const temporary = temporaryPath(path);
  try {
    await writeFile(temporary, content, { signal, flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}
