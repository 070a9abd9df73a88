/** Whole steps of training: forward, backward, clipping and AdamW, as the measurements need them from an engine. */
import type { Usage } from "./language-engine.ts";

/** The rate is small, so that a model stays one; its value costs no time. */
export const ADAMW = { learningRate: 1e-5, betas: [0.9, 0.95], epsilon: 1e-8, weightDecay: 0.1 } as const;
export const CLIP = 1;

/** How an engine is started. */
export interface StepSpec {
  readonly engine: "gpt2-ts" | "PyTorch";
  /** The folder of the model to be trained. */
  readonly model: string;
  readonly threads: number;
  readonly python?: string;
}

/** What a step trains on: sequences of the same length, each with a token more, which is a target only. */
export type StepBatch = readonly Int32Array[];

/** By what a step is known to be the right one. */
export interface StepOutcome {
  readonly loss: number;
  /** Of all gradients together, before clipping. */
  readonly norm: number;
}

export interface StepEngine {
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  /** A step for each batch. */
  run(batches: readonly StepBatch[]): Promise<{ readonly seconds: number; readonly outcomes: readonly StepOutcome[] }>;
  /** What other processes use that work for it. */
  usage?(): Usage;
  /** Operations that it had no kernel for, and the most memory that tensors took at once: ours alone says so. */
  fallbacks?(): readonly string[];
  deviceBytes?(): number;
}
