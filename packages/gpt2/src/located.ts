import type { ModelFiles } from "./checkpoint/source/index.ts";
import type { PretrainedOptions } from "./hub/options.ts";
import type { FromPretrainedOptions } from "./load-options.ts";

/** What finding a model by its name depends on. */
export interface LocateOptions
  extends PretrainedOptions,
    Pick<FromPretrainedOptions, "dtype" | "onProgress" | "onWarning"> {}

/** A model that is there to be loaded. */
export interface Located extends Disposable {
  readonly where: string | URL | ModelFiles;
}
