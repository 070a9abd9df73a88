/** What `bench:roofline` writes to `results/<processor>/roofline-node*.json`. */
import type { MatrixEncoding, Work } from "@gpt2-ts/tensor";
import type { RunConditions } from "../harness/machine.ts";
import type { Spread } from "../harness/statistics.ts";

export const ROOFLINE_PARTS = ["prefill", "decode", "score"] as const;
export type RooflinePartName = (typeof ROOFLINE_PARTS)[number];

/** The machine's limits, measured in the same rounds. */
export interface Limits {
  /** 10⁹ bytes per second of a plain read loop. */
  readonly memory: Spread;
  /** 10⁹ operations per second in registers, by the arithmetic they need. */
  readonly arithmetic: Readonly<Record<Work["arithmetic"], Spread>>;
}

/** One op with operands of one shape, in one pass (decoding: for one token). */
export interface RooflineRow extends Work {
  readonly title: string;
  readonly shape: string;
  readonly calls: number;
  /** Of all these calls. */
  readonly milliseconds: Spread;
  /** Which limit it would meet first, and how much of that limit it reaches: above 1 its bytes came from a cache, or faster than the plain read. */
  readonly limit: "memory" | "arithmetic";
  readonly share: number;
}

/** One pass through the model with its weights kept as `dtype`. */
export interface RooflinePass {
  readonly dtype: MatrixEncoding;
  readonly milliseconds: Spread;
  readonly rows: readonly RooflineRow[];
  /** Milliseconds outside ops: JavaScript, bookkeeping, waiting for the event loop. */
  readonly outside: Spread;
  /** What the pass would take with every op at its limit, as a share of what it took. */
  readonly share: number;
}

export interface RooflinePart {
  readonly command: string;
  readonly conditions: RunConditions;
  readonly threads: number;
  readonly title: string;
  readonly limits: Limits;
  readonly passes: readonly RooflinePass[];
  /** Samples during which other programs ran, and that count because repeating them did not help. */
  readonly disturbed: number;
  /** Mean share of the processor that other programs took during the samples. */
  readonly foreign?: number;
}

export interface RooflineResult {
  readonly kind: "roofline";
  readonly checkpoint: string;
  readonly parts: Readonly<Partial<Record<RooflinePartName, RooflinePart>>>;
}
