/** What `bench:speed` writes to `results/<processor>/speed-node*.json`. */
import type { RunConditions } from "../harness/machine.ts";
import type { Spread } from "../harness/statistics.ts";
import type { ErrorSummary } from "../reference-values.ts";

export type Facts = Readonly<Record<string, string | number | boolean>>;

/** One engine's samples of one quantity. */
export interface Measured extends Spread {
  readonly engine: string;
}

/** Samples of all engines taken in turns; entry i of each list comes from the same round. */
export interface Comparison {
  readonly title: string;
  readonly unit: "s" | "tokens/s" | "GFLOP/s" | "GB/s" | "bytes";
  readonly higherIsBetter: boolean;
  readonly measured: readonly Measured[];
  /** How much better ours was than each peer: above 1 where ours was better. */
  readonly ratios: readonly { readonly peer: string; readonly ratio: Spread }[];
  /** Samples taken again because other programs were running, and those that count although they were. */
  readonly repeated: number;
  readonly disturbed: number;
  /** Mean share of the processor that other programs took during the samples; results from before 2026-11-30 have none. */
  readonly foreign?: number;
}

export const PARTS = ["prefill", "decode", "cold", "matmul"] as const;
export type PartName = (typeof PARTS)[number];

/** What was measured in one go. */
export interface Part {
  readonly command: string;
  readonly conditions: RunConditions;
  readonly threads: number;
  readonly engines: readonly {
    readonly name: string;
    readonly facts: Facts;
    readonly error: ErrorSummary | undefined;
  }[];
  readonly comparisons: readonly Comparison[];
}

/** Decoding reads every weight once a token, so it is also compared with plain reading. */
export interface DecodePart extends Part {
  readonly checkpoint: string;
  /** Bytes of all weights. */
  readonly weightBytes: number;
  /** Weight bytes decoded per second over bytes per second of plain reading in the same rounds. */
  readonly shareOfPlainRead: readonly { readonly engine: string; readonly share: Spread }[];
}

export interface SpeedResult {
  readonly kind: "speed";
  readonly prefill?: Part;
  readonly decode?: DecodePart;
  readonly cold?: Part;
  readonly matmul?: Part;
}
