/** What `bench:train` writes to `results/<processor>/train-node*.json`. */
import type { RunConditions } from "../harness/machine.ts";
import type { MissingEngine } from "../peers/result.ts";
import type { Comparison, Facts } from "../speed/result.ts";

export const TRAIN_PARTS = ["124m", "shipped", "block"] as const;
export type TrainPartName = (typeof TRAIN_PARTS)[number];

/** What was measured in one go. */
export interface TrainPart {
  readonly command: string;
  readonly conditions: RunConditions;
  readonly threads: number;
  readonly engines: readonly { readonly name: string; readonly facts: Facts }[];
  readonly missing: readonly MissingEngine[];
  readonly comparisons: readonly Comparison[];
  /** Of our process, of the parts that train a model. */
  readonly memory?: TrainMemory;
}

export interface TrainMemory {
  readonly peakBytes: number;
  /** Of a process on the same Node.js that does nothing. */
  readonly bareBytes: number;
  /** By `trainingMemory`. */
  readonly estimateBytes: number;
  /** What training added to a bare process, in estimates. */
  readonly ratio: number;
}

export interface TrainResult {
  readonly kind: "train";
  readonly parts: Readonly<Partial<Record<TrainPartName, TrainPart>>>;
}
