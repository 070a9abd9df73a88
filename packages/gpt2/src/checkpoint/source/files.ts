import { ModelFormatError } from "../../errors.ts";
import { MAX_TEXT_BYTES, type ModelSource } from "./source.ts";

/** Files by name, as from a file picker or a drop: `{ "config.json": file, … }`. */
export type ModelFiles = Readonly<Record<string, Blob>>;

export function filesSource(files: ModelFiles): ModelSource {
  const find = (name: string): Blob | undefined => (Object.hasOwn(files, name) ? files[name] : undefined);
  return {
    name: "the model's files",
    path: (file) => file,
    file: async (name) => find(name),
    text: async (name) => {
      const file = find(name);
      if (file && file.size > MAX_TEXT_BYTES)
        throw new ModelFormatError(name, `${file.size} bytes are too many for it`);
      return file?.text();
    },
    names: async () => Object.keys(files),
  };
}
