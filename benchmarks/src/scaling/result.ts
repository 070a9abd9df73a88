/** What `bench:scaling` writes to `results/<processor>/scaling-node*.json`. */
import type { MatrixEncoding } from "@gpt2-ts/tensor";
import type { RunConditions } from "../harness/machine.ts";
import type { Spread } from "../harness/statistics.ts";
import type { Comparison } from "../speed/result.ts";

/** `gpt2 score` with so many jobs, each on so many threads. */
export interface ScalingCase {
  readonly jobs: number;
  readonly threads: number;
  /** The largest resident set of the process, in bytes. */
  readonly peakBytes: Spread;
}

/** All cases of a dtype took turns: entry i of `cases` is engine i of the comparison. */
export interface ScalingGroup {
  readonly dtype: MatrixEncoding;
  readonly cases: readonly ScalingCase[];
  readonly comparison: Comparison;
}

export interface ScalingResult {
  readonly kind: "scaling";
  readonly command: string;
  readonly conditions: RunConditions;
  readonly checkpoint: string;
  readonly lines: number;
  readonly tokensPerLine: number;
  readonly groups: readonly ScalingGroup[];
}
