/** What `bench:memory` writes to `results/<processor>/memory-node*.json`. */
import type { MatrixEncoding } from "@gpt2-ts/tensor";
import type { RunConditions } from "../harness/machine.ts";

export const MEMORY_PARTS = ["load", "generate"] as const;

/** A whole process with one model, from its start to the first token: the largest resident set until each step, in bytes. */
export interface ProcessMemory {
  readonly model: string;
  readonly dtype: MatrixEncoding;
  /** Of the weights' file, which holds this dtype. */
  readonly fileBytes: number;
  /** A process on the same Node.js that does nothing. */
  readonly bare: number;
  /** With the packages imported. */
  readonly imported: number;
  readonly loaded: number;
  /** What all tensors take on the device once the model is loaded: part of `loaded`. */
  readonly tensors: number;
  readonly firstToken: number;
  /** What loading added, over the size of the file. */
  readonly ratio: number;
  readonly bound: number;
}

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

interface Part {
  readonly command: string;
  readonly conditions: RunConditions;
  readonly threads: number;
}

export interface MemoryResult {
  readonly kind: "memory";
  readonly parts: {
    readonly load?: Part & { readonly processes: readonly ProcessMemory[] };
    readonly generate?: Part & { readonly curves: readonly MemoryCurve[] };
  };
}
