/** Which model of the Hugging Face Hub, and from where. Defaults come from the variables of `huggingface_hub`. */
export interface PretrainedOptions {
  /** A branch, a tag or a commit; `"gpt2@v1"` names one too. @defaultValue `"main"` */
  readonly revision?: string | undefined;
  /** The hub's address; else, in Node, `HF_ENDPOINT`. */
  readonly endpoint?: string | undefined;
  /** An access token, or `false` to send none; else `HF_TOKEN` or the token file in `HF_HOME`. Node only. */
  readonly token?: string | false | undefined;
  /** The cache folder; else `HF_HUB_CACHE`, else `hub` in `HF_HOME`. Node only. */
  readonly cacheDir?: string | undefined;
  /** Use only what was downloaded before; else, in Node, `HF_HUB_OFFLINE`. */
  readonly offline?: boolean | undefined;
  /**
   * Whether a page keeps the model in the browser (docs/browser.md). `false`: it is read from the hub and not kept. Node always keeps
   * models. @defaultValue `true`
   */
  readonly cache?: boolean | undefined;
  /** Stops a download; what arrived is kept and continued next time. */
  readonly signal?: AbortSignal | undefined;
}

export const pretrainedOptionNames = [
  "revision",
  "endpoint",
  "token",
  "cacheDir",
  "offline",
  "cache",
  "signal",
] as const;
