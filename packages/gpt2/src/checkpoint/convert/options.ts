import type { WarningListener } from "../../warning.ts";
import type { ConvertedDtype } from "../quantization.ts";

/** How far a conversion has come. */
export interface ConvertProgress {
  /** Bytes of the new checkpoint that are written, and all of them. */
  readonly done: number;
  readonly total: number;
}

/** All optional. */
export interface ConvertOptions {
  /** What the matrices are kept in. Default: every tensor as it is stored. */
  readonly dtype?: ConvertedDtype | undefined;
  /**
   * Whose names and layout the checkpoint has: the Hub's, or those of nanoGPT, whose matrices are `[out, in]`, whose biases may be
   * missing, and whose `ckpt.pt` has the config in it. Default `"hub"`.
   */
  readonly from?: (typeof LAYOUTS)[number] | undefined;
  /** The number of attention heads of a nanoGPT checkpoint that has neither `model_args` nor a `config.json` beside it. */
  readonly nHead?: number | undefined;
  /**
   * The checkpoint's file in the source. Default: `model.safetensors` or its shards, else `pytorch_model.bin` or its shards, else,
   * from nanoGPT, `ckpt.pt`.
   */
  readonly file?: string | undefined;
  /** Whether files of `out` may be replaced. Default false. */
  readonly overwrite?: boolean | undefined;
  readonly onProgress?: ((progress: ConvertProgress) => void) | undefined;
  /** Is told what the user should know about the result. Default: `console.warn`. */
  readonly onWarning?: WarningListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

export const LAYOUTS = ["hub", "nanogpt"] as const;
