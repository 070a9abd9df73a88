import { ModelFormatError } from "../../errors.ts";
import type { ModelSource } from "./source.ts";

/** The folder at a path. Throws {@link ModelFormatError} if it leads to no folder, or outside Node. */
export async function folderSource(where: string | URL): Promise<ModelSource> {
  // Not imported: bundlers for browsers would have to resolve it.
  const files = globalThis.process?.getBuiltinModule?.("node:fs/promises");
  const paths = globalThis.process?.getBuiltinModule?.("node:path");
  const urls = globalThis.process?.getBuiltinModule?.("node:url");
  if (!files || !paths || !urls) {
    throw new ModelFormatError(String(where), "folders can only be read in Node; give a URL or files");
  }
  const folder = typeof where === "string" ? where : urls.fileURLToPath(where);
  const stats = await files.stat(folder).catch((cause: unknown) => {
    throw new ModelFormatError(folder, "there is no such folder", undefined, { cause });
  });
  if (!stats.isDirectory()) throw new ModelFormatError(folder, "not a folder");
  const path = (file: string): string => paths.join(folder, file);
  const missing = (error: NodeJS.ErrnoException): undefined => {
    if (error.code !== "ENOENT") throw error;
  };
  return {
    name: folder,
    path,
    file: async (name) => ((await files.stat(path(name)).catch(missing)) ? path(name) : undefined),
    text: (name) => files.readFile(path(name), "utf8").catch(missing),
  };
}
