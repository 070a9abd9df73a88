import { showValue } from "@gpt2-ts/tensor/options";
import { displayUrl } from "safetensors-ts/transport";
import { ModelFormatError } from "../../errors.ts";
import { nestsTooDeep } from "../../json-nesting.ts";
import { filesSource, type ModelFiles } from "./files.ts";
import { folderSource } from "./folder.ts";
import { foreignContent } from "./foreign-content.ts";
import type { ModelSource } from "./source.ts";
import { urlSource } from "./url.ts";

export type { ModelFiles } from "./files.ts";
export type { ModelSource } from "./source.ts";

/**
 * The folder at a path or `file` URL (Node), at an `http(s)` URL, or given as files. In a browser a string is a URL, which
 * may be relative to the page. Throws {@link ModelFormatError} if a path leads to no folder.
 */
export async function modelSource(where: string | URL | ModelFiles, signal?: AbortSignal): Promise<ModelSource> {
  const source = await sourceAt(where, signal);
  const text = async (name: string): Promise<string | undefined> => {
    const text = await source.text(name);
    const foreign = text === "" && name.endsWith(".json") ? "the file is empty" : text && foreignContent(text);
    if (text && name.endsWith(".json") && nestsTooDeep(text)) {
      throw new ModelFormatError(source.path(name), "its JSON nests too deep");
    }
    if (foreign) throw new ModelFormatError(source.path(name), foreign);
    return text;
  };
  return { ...source, text };
}

async function sourceAt(where: string | URL | ModelFiles, signal: AbortSignal | undefined): Promise<ModelSource> {
  if (typeof where !== "string" && !isUrl(where)) {
    if (typeof where === "object" && where !== null && !Array.isArray(where)) return filesSource(where);
    throw new TypeError(`load: expected the path of a folder, a URL, or files by name, got ${showValue(where)}`);
  }
  const isInNode = globalThis.process?.getBuiltinModule !== undefined;
  if (/^https?:/i.test(String(where)) || (!isInNode && typeof where === "string")) {
    return urlSource(parseUrl(where), signal);
  }
  return folderSource(/^file:/i.test(String(where)) ? parseUrl(where) : where);
}

/** By what it is: a URL of another realm (Jest's, a `vm`'s) has another constructor. */
function isUrl(value: unknown): value is URL {
  return Object.prototype.toString.call(value) === "[object URL]";
}

function parseUrl(where: string | URL): URL {
  try {
    return new URL(where, globalThis.location?.href);
  } catch {
    throw new ModelFormatError(displayUrl(String(where)), "not a valid URL"); // the error's cause would show all of it
  }
}
