/** What `bench:against` writes to `results/<processor>/against-node*.json`. */
import type { MatrixEncoding } from "@gpt2-ts/tensor";
import type { LogitQuality } from "../engines/language-checks.ts";
import type { RunConditions } from "../harness/machine.ts";
import type { Comparison } from "../speed/result.ts";
import type { Build } from "./build.ts";

export const AGAINST_PARTS = ["prefill", "decode", "score", "cold", "bundle"] as const;
export type AgainstPartName = (typeof AGAINST_PARTS)[number];

/** One quantity of both builds. */
export interface Measurement {
  readonly part: AgainstPartName;
  /** How the weights were kept; the bundle has none. */
  readonly dtype: MatrixEncoding | undefined;
  readonly comparison: Comparison;
}

export interface AgainstResult {
  readonly kind: "against";
  readonly command: string;
  readonly conditions: RunConditions;
  readonly threads: number;
  readonly checkpoint: string;
  readonly base: Omit<Build, "root">;
  readonly current: Omit<Build, "root">;
  /** Medians of the ratios below this failed. */
  readonly floor: number;
  /** Logits of the warm engines against float64. */
  readonly quality: Readonly<Record<string, LogitQuality>>;
  readonly measurements: readonly Measurement[];
}
