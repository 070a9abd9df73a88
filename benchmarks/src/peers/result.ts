/** What `bench:peers` writes to `results/<processor>/peers-node*.json`. */
import type { LogitQuality } from "../engines/language-checks.ts";
import type { RunConditions } from "../harness/machine.ts";
import type { Comparison, Facts, Measured } from "../speed/result.ts";

export const PEER_PARTS = ["decode", "prefill", "score", "cold"] as const;
export type PeerPartName = (typeof PEER_PARTS)[number];

/** An engine as it was measured. */
export interface PeerEngine {
  readonly name: string;
  readonly facts: Facts;
  /** Of its logits against float64. */
  readonly quality: LogitQuality;
}

/** An engine that could not be measured here. */
export interface MissingEngine {
  readonly name: string;
  readonly reason: string;
}

/** What the peaks of the cold starts are to be compared with. */
export interface MemoryScale {
  /** The peak of a process on the same Node.js that does nothing. */
  readonly bare: Measured;
  /** Bytes of the weights' file, of the engines that read a safetensors file. */
  readonly fileBytes: Readonly<Record<string, number>>;
}

/** What was measured in one go. */
export interface PeerPart {
  readonly command: string;
  readonly conditions: RunConditions;
  readonly threads: number;
  readonly engines: readonly PeerEngine[];
  readonly missing: readonly MissingEngine[];
  readonly comparisons: readonly Comparison[];
  /** Of the cold starts. */
  readonly memory?: MemoryScale;
}

export interface PeersResult {
  readonly kind: "peers";
  readonly checkpoint: string;
  readonly parts: Readonly<Partial<Record<PeerPartName, PeerPart>>>;
}
