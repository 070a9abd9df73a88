/** What `bench:speculate` writes to `results/speculate-*.json`. */
import type { MatrixEncoding } from "@gpt2-ts/tensor";
import type { RunConditions } from "../harness/machine.ts";
import type { Comparison } from "../speed/result.ts";

/** Tokens per second with and without `speculate: "lookup"`, of the same texts. */
export interface SpeculateCase {
  readonly what: string;
  readonly dtype: MatrixEncoding;
  readonly comparison: Comparison;
  /** Of all texts together. */
  readonly tokens: number;
  readonly drafted: number;
  readonly accepted: number;
}

export interface SpeculateResult {
  readonly kind: "speculate";
  readonly command: string;
  readonly conditions: RunConditions;
  readonly threads: number;
  readonly cases: readonly SpeculateCase[];
}
