import { OptionError } from "@gpt2-ts/tensor/options";
import type { Located, LocateOptions } from "../located.ts";

/** Downloads a model into the hub's cache, unless it is there. */
export async function locatePretrained(
  name: string,
  { cache, dtype: _, onWarning: __, ...options }: LocateOptions,
): Promise<Located> {
  if (cache === false) throw new OptionError("cache", "is for pages; cacheDir says where Node keeps models");
  const { downloadModel } = await import("../hub/index.ts"); // programs that only load folders do not need it
  const { folder } = await downloadModel(name, options);
  return { where: folder, [Symbol.dispose]: () => {} };
}
