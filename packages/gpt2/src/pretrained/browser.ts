import { OptionError } from "@gpt2-ts/tensor/options";
import { hubFileUrl } from "../hub/file-url.ts";
import { splitRevision } from "../hub/names.ts";
import type { PretrainedOptions } from "../hub/options.ts";
import type { DownloadProgress } from "../hub/progress.ts";

/** Where a model lies on the hub: a page reads its files from there, and the browser caches them. */
export async function locatePretrained(
  model: string,
  { revision: chosen, endpoint, signal, ...others }: PretrainedOptions,
  _onProgress?: (progress: DownloadProgress) => void,
): Promise<string | URL> {
  signal?.throwIfAborted();
  for (const [option, value] of Object.entries(others)) {
    if (value !== undefined) throw new OptionError(option, "is for Node only");
  }
  const { name, revision } = splitRevision(model, chosen);
  return new URL(".", hubFileUrl(name, "config.json", revision, endpoint));
}
