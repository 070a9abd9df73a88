import { checkChoice, OptionError } from "@gpt2-ts/tensor/options";
import { conversionTo } from "../checkpoint/convert/conversion.ts";
import { DTYPES } from "../checkpoint/load.ts";
import { HubError } from "../hub/error.ts";
import { hubFileUrl } from "../hub/file-url.ts";
import { splitRevision } from "../hub/names.ts";
import type { Located, LocateOptions } from "../located.ts";
import { warnOnConsole } from "../warning.ts";

/** A model that is kept in the browser; where that keeps nothing, its address on the hub. */
export async function locatePretrained(model: string, options: LocateOptions): Promise<Located> {
  const { revision: chosen, endpoint, signal, cache = true, offline, token, cacheDir } = options;
  signal?.throwIfAborted();
  for (const [option, value] of Object.entries({ token, cacheDir })) {
    if (value !== undefined) throw new OptionError(option, "is for Node only");
  }
  if (offline && !cache) throw new OptionError("offline", "needs the cache, which cache: false switches off");
  checkChoice("dtype", options.dtype, DTYPES);
  const { name, revision } = splitRevision(model, chosen);
  const url = new URL(".", hubFileUrl(name, "config.json", revision, endpoint));
  if (cache) {
    // Of its own, so that pages need less before they can begin to load a model.
    const { keepModel } = await import("../browser-cache/keep-model.ts");
    try {
      return await keepModel(name, { ...options, conversion: conversionTo(options.dtype) }, revision);
    } catch (error) {
      if (offline || !(error instanceof HubError) || error.code !== "no-storage") throw error;
      const { onWarning = warnOnConsole } = options;
      onWarning(`${model} is read from ${url.host} and not kept: ${error.message}`);
    }
  }
  return { where: url, [Symbol.dispose]: () => {} };
}
