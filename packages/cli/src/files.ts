import { writeWhole as write } from "@gpt2-ts/gpt2/node";

/**
 * Writes a file that is at `path` whole or not at all, as `writeWhole` of `@gpt2-ts/gpt2/node` does.
 *
 * @throws Error that names the file
 */
export async function writeWhole(path: string, data: string | Uint8Array): Promise<void> {
  try {
    await write(path, data);
  } catch (cause) {
    throw new Error(`${path}: cannot be written (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}
