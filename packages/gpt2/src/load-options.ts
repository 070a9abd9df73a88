import type { MatrixEncoding } from "@gpt2-ts/tensor";
import type { LoadProgress } from "./checkpoint/load.ts";
import { type DeviceOptions, deviceOptionNames } from "./device-options.ts";
import { type PretrainedOptions, pretrainedOptionNames } from "./hub/options.ts";
import type { DownloadProgress, KeepingProgress } from "./hub/progress.ts";
import type { WarningListener } from "./warning.ts";

export interface LoadOptions extends DeviceOptions {
  /**
   * How weights are kept, whatever the checkpoint's precision: `"f32"`; `"bf16"`, rounded to 8 significant bits, which halves the
   * memory and what is read for each token; or `"int8"`, 8-bit integers with a scale for every 64 of them, about a quarter.
   * Default: what the checkpoint was converted to (`gpt2 convert`), or else `"f32"`.
   */
  readonly dtype?: MatrixEncoding | undefined;
  /**
   * How keys and values are kept, which is most of what is read for a token far into a long text: `"f32"`; `"bf16"`, half the
   * memory; or `"int8"`, about a quarter. They are rounded in every pass, so that results do not depend on what comes from a
   * cache. Default: `"bf16"` with weights of `"int8"`, otherwise `"f32"`.
   */
  readonly cacheDtype?: MatrixEncoding | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  /**
   * Told of what its user should know about the model's files, a sentence each: tokenizer and weights are for vocabularies of
   * different sizes, say. Default: `console.warn`.
   */
  readonly onWarning?: WarningListener | undefined;
  /**
   * Whether the settings of the model's `generation_config.json` hold where `generate` and `stream` are given none: temperature,
   * top-k, top-p, repetition penalty, length, stop texts. Default false. The tokens that end a text are read from it anyway.
   */
  readonly useGenerationConfig?: boolean | undefined;
  /**
   * Whether the weights are to be trained (`@gpt2-ts/gpt2/train`): they lie in float32 then, where they can be written to, and
   * passes are slower. Default false.
   */
  readonly trainable?: boolean | undefined;
  /** Stops early: loading then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What `fromPretrained` reports: the download, what a page does besides, and loading. */
export type PretrainedProgress = DownloadProgress | KeepingProgress | ({ readonly type: "load" } & LoadProgress);

export interface FromPretrainedOptions extends DeviceOptions, PretrainedOptions {
  /** As in {@link LoadOptions}. */
  readonly dtype?: MatrixEncoding | undefined;
  /** As in {@link LoadOptions}. */
  readonly cacheDtype?: MatrixEncoding | undefined;
  /** As in {@link LoadOptions}. */
  readonly onWarning?: WarningListener | undefined;
  /** As in {@link LoadOptions}. */
  readonly useGenerationConfig?: boolean | undefined;
  /** As in {@link LoadOptions}. */
  readonly trainable?: boolean | undefined;
  /** Called as the download proceeds, then as loading proceeds (`type: "load"`). */
  readonly onProgress?: ((progress: PretrainedProgress) => void) | undefined;
}

const ownNames = [
  "dtype",
  "cacheDtype",
  "onProgress",
  "onWarning",
  "useGenerationConfig",
  "trainable",
  "signal",
] as const;

export const loadOptionNames = [...deviceOptionNames, ...ownNames] as const;
export const pretrainedLoadOptionNames = [...deviceOptionNames, ...pretrainedOptionNames, ...ownNames] as const;
