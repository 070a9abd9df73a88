import type { ModelSource } from "./source.ts";

/** Files by name, as from a file picker or a drop: `{ "config.json": file, … }`. */
export type ModelFiles = Readonly<Record<string, Blob>>;

export function filesSource(files: ModelFiles): ModelSource {
  const find = (name: string): Blob | undefined => (Object.hasOwn(files, name) ? files[name] : undefined);
  return {
    name: "the model's files",
    path: (file) => file,
    file: async (name) => find(name),
    text: async (name) => find(name)?.text(),
  };
}
