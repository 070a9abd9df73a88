/** What `bench:batch` writes to `results/<processor>/batch-node*.json`. */
import type { MatrixEncoding } from "@gpt2-ts/tensor";
import type { RunConditions } from "../harness/machine.ts";
import type { Comparison } from "../speed/result.ts";

/** Tokens per second of so many texts generated together, and one after another. */
export interface BatchCase {
  readonly texts: number;
  readonly dtype: MatrixEncoding;
  readonly comparison: Comparison;
}

export interface BatchResult {
  readonly kind: "batch";
  readonly command: string;
  readonly conditions: RunConditions;
  readonly threads: number;
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly cases: readonly BatchCase[];
}
