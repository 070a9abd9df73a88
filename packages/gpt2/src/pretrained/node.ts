import type { DownloadProgress } from "../hub/index.ts";
import type { PretrainedOptions } from "../hub/options.ts";

/** Downloads a model into the hub's cache, unless it is there. Returns its folder. */
export async function locatePretrained(
  name: string,
  options: PretrainedOptions,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<string | URL> {
  const { downloadModel } = await import("../hub/index.ts"); // programs that only load folders do not need it
  const { folder } = await downloadModel(name, { ...options, onProgress });
  return folder;
}
