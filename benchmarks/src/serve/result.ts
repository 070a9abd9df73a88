/** What `bench:serve` writes to `results/<processor>/serve-node*.json`. */
import type { MatrixEncoding } from "@gpt2-ts/tensor";
import type { RunConditions } from "../harness/machine.ts";
import type { Comparison } from "../speed/result.ts";

/** Requests in flight together against one after another. */
export interface ServeThroughput {
  readonly checkpoint: string;
  readonly dtype: MatrixEncoding;
  readonly inFlight: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly comparison: Comparison;
}

/** Many connections for a while. */
export interface ServeLoad {
  readonly model: string;
  readonly connections: number;
  readonly seconds: number;
  readonly answered: number;
  readonly hungUp: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly tokensPerSecond: number;
  /** Milliseconds until the first piece of a stream. */
  readonly firstMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Resident bytes: medians of the second and of the last quarter of the time, and the most. */
  readonly memory: { readonly early: number; readonly late: number; readonly most: number };
}

export interface ServeResult {
  readonly kind: "serve";
  readonly command: string;
  readonly conditions: RunConditions;
  readonly threads: number;
  readonly throughput: ServeThroughput;
  readonly load: ServeLoad;
}
