/** What `bench:memory` writes to `results/<processor>/memory-node*.json`. */
import type { RunConditions } from "../harness/machine.ts";

export interface MemoryPoint {
  /** Tokens generated so far. */
  readonly tokens: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
}

/** Resident memory while many tokens are generated. */
export interface MemoryCurve {
  readonly model: string;
  readonly what: string;
  readonly points: readonly MemoryPoint[];
  /** Median resident bytes early (from token 500 on) and at the end; the difference is the growth. */
  readonly early: number;
  readonly late: number;
  readonly flat: boolean;
}

export interface MemoryResult {
  readonly kind: "memory";
  readonly command: string;
  readonly conditions: RunConditions;
  readonly threads: number;
  /** Loading the 124M shape: the largest resident set against the bytes of the weights. */
  readonly load: {
    readonly model: string;
    readonly weightBytes: number;
    readonly peakBytes: number;
    /** Of a process that loads nothing. */
    readonly emptyBytes: number;
    readonly ratio: number;
    readonly bound: number;
  };
  readonly curves: readonly MemoryCurve[];
}
