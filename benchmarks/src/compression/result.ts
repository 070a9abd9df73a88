import type { RunConditions } from "../harness/machine.ts";

/** What `bench:compression` writes. */
export interface CompressionResult {
  readonly kind: "compression";
  readonly command: string;
  readonly conditions: RunConditions;
  readonly texts: readonly CompressedText[];
}

export interface CompressedText {
  readonly text: string;
  readonly bytes: number;
  /** Bytes after each compressor, in the order in which they are shown. */
  readonly sizes: readonly { readonly by: string; readonly bytes: number }[];
}
