import { ModelFormatError } from "../../errors.ts";
import type { ModelSource } from "./source.ts";

/** The folder at an `http(s)` URL. */
export function urlSource(folder: URL, signal: AbortSignal | undefined): ModelSource {
  const at = (file: string): URL => {
    const url = new URL(folder);
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/${file}`;
    return url;
  };
  const request = async (name: string, headers: Record<string, string>): Promise<Response | undefined> => {
    const response = await fetch(at(name), { headers, ...(signal && { signal }) }).catch((cause: unknown) => {
      signal?.throwIfAborted();
      throw new ModelFormatError(at(name).href, "the request failed", undefined, { cause });
    });
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status === 404) return undefined;
    throw new ModelFormatError(at(name).href, `HTTP status ${response.status}`);
  };
  /** Whether the file exists. Asks for its first byte, because the signed URLs that hubs redirect to refuse HEAD. */
  const exists = async (name: string): Promise<boolean> => {
    const response = await request(name, { range: "bytes=0-0" });
    await response?.body?.cancel();
    return response !== undefined;
  };
  return {
    name: folder.href,
    path: (file) => at(file).href,
    file: async (name) => ((await exists(name)) ? at(name) : undefined),
    text: async (name) => (await request(name, {}))?.text(),
  };
}
