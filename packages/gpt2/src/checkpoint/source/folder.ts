import type { Stats } from "node:fs";
import { ModelFormatError } from "../../errors.ts";
import { MAX_TEXT_BYTES, type ModelSource } from "./source.ts";
import { isTorchFile, otherFormat } from "./what-is-there.ts";

/**
 * The folder at a path. Only regular files of it are opened: others may have no end, or wait for a writer.
 *
 * @throws ModelFormatError if it leads to no folder, or outside Node
 */
export async function folderSource(where: string | URL): Promise<ModelSource> {
  // Not imported: bundlers for browsers would have to resolve it.
  const files = globalThis.process?.getBuiltinModule?.("node:fs/promises");
  const paths = globalThis.process?.getBuiltinModule?.("node:path");
  const urls = globalThis.process?.getBuiltinModule?.("node:url");
  if (!files || !paths || !urls) {
    throw new ModelFormatError(String(where), "folders can only be read in Node; give a URL or files");
  }
  const folder = typeof where === "string" ? where : pathOf(where, urls.fileURLToPath);
  const stats = await files.stat(folder).catch((cause: NodeJS.ErrnoException) => {
    throw new ModelFormatError(folder, noFolder(folder, cause.code), undefined, { cause });
  });
  if (!stats.isDirectory()) {
    throw new ModelFormatError(
      folder,
      notAFolder(folder, paths.basename(folder), paths.dirname(folder), stats.isFile()),
    );
  }
  const path = (file: string): string => paths.join(folder, file);
  const failed =
    (name: string) =>
    (cause: NodeJS.ErrnoException): never => {
      throw new ModelFormatError(path(name), `it cannot be read (${cause.code})`, undefined, { cause });
    };
  /** Undefined if there is no such file. */
  const find = async (name: string): Promise<Stats | undefined> => {
    const stats = await files.stat(path(name)).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== "ENOENT") failed(name)(cause);
      return undefined;
    });
    if (stats && !stats.isFile()) {
      throw new ModelFormatError(
        path(name),
        `expected a regular file; this is a ${stats.isDirectory() ? "folder" : "pipe or device"}`,
      );
    }
    return stats;
  };
  return {
    name: folder,
    path,
    file: async (name) => ((await find(name)) ? path(name) : undefined),
    text: async (name) => {
      const stats = await find(name);
      if (!stats) return undefined;
      if (stats.size > MAX_TEXT_BYTES)
        throw new ModelFormatError(path(name), `${stats.size} bytes are too many for it`);
      return files.readFile(path(name), "utf8").catch(failed(name));
    },
    names: () => files.readdir(folder),
  };
}

function pathOf(url: URL, fileURLToPath: (url: URL) => string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new ModelFormatError(url.href, `no path of this machine (${(cause as Error).message})`, undefined, { cause });
  }
}

/** Why a path leads to nothing. */
function noFolder(folder: string, code: string | undefined): string {
  if (code !== "ENOENT" && code !== "ENOTDIR") return `it cannot be opened (${code})`;
  const isName = /^\w[\w.-]*(?:\/[\w.-]+)?$/.test(folder);
  const name = JSON.stringify(folder);
  return isName
    ? `there is no such folder; GPT2.fromPretrained(${name}) loads a model of that name from the Hub, and "gpt2 download ${folder}" fetches it`
    : "there is no such folder";
}

/** What to do with a path that leads to a file. */
function notAFolder(path: string, name: string, folder: string, isFile: boolean): string {
  if (isFile && isTorchFile(name))
    return `not a folder but a file, which can be converted: gpt2 convert --model ${path} --out NEW_FOLDER`;
  const format = otherFormat(name);
  if (isFile && format) return `not a folder but a file in ${format}, which is not read`;
  return isFile ? `not a folder; expected the one that the model's files are in, ${folder}` : "not a folder";
}
