import { ModelFormatError } from "../../errors.ts";
import type { ModelSource } from "./source.ts";

/** The text of a file that has to be there. Throws {@link ModelFormatError} if it is not. */
export async function requiredText(source: ModelSource, file: string): Promise<string> {
  const text = await source.text(file);
  if (text !== undefined) return text;
  throw new ModelFormatError(source.path(file), source.absence?.(file) ?? "there is no such file");
}
