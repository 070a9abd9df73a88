/** What `bench:train` writes to `results/<processor>/train-node*.json`. */
import type { RunConditions } from "../harness/machine.ts";
import type { MissingEngine } from "../peers/result.ts";
import type { Comparison, Facts } from "../speed/result.ts";

export const TRAIN_PARTS = ["124m", "stories", "block"] as const;
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
  /** The most that tensors, and operations while they ran, took of the wasm memory at once. */
  readonly deviceBytes: number;
  /** By `trainingMemory`, for the tokens of a step. */
  readonly estimateBytes: number;
  /** The first by the second. */
  readonly ratio: number;
}

export interface TrainResult {
  readonly kind: "train";
  readonly parts: Readonly<Partial<Record<TrainPartName, TrainPart>>>;
}
