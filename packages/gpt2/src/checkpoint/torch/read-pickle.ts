import { ModelFormatError } from "../../errors.ts";
import type { FileBytes } from "./file-bytes.ts";
import { PickleError } from "./pickle/index.ts";

/** No state dict's pickle is longer: that of GPT-2 XL takes 0.1 MB. */
export const MAX_PICKLE_BYTES = 2 ** 24;

/** What `read` returns; its PickleError as a {@link ModelFormatError} that names the file. */
export function readingPickle<T>(file: FileBytes, where: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof PickleError)) throw cause;
    throw new ModelFormatError(file.path, `${where}: ${cause.message}`, undefined, { cause });
  }
}
