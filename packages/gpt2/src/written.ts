/**
 * Waits for a file to be written; says which one it is when the disk is full, or takes no more for another reason.
 *
 * @throws Error that names the file
 */
export async function written(path: string, writing: Promise<void>): Promise<void> {
  try {
    await writing;
  } catch (cause) {
    const { code = String(cause) } = cause as NodeJS.ErrnoException;
    throw new Error(`${path}: the file cannot be written (${code})`, { cause });
  }
}
