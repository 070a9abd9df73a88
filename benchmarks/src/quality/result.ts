/** What `bench:quality` writes to `results/<processor>/quality-node*.json`. */
import type { MatrixEncoding } from "@gpt2-ts/tensor";
import type { RunConditions } from "../harness/machine.ts";

/** How far a model whose weights are kept as `dtype` is from the same one in float32, cache and all, over all predictions of a text. */
export interface QualityErrors {
  readonly model: string;
  readonly text: string;
  readonly dtype: string;
  /** How its keys and values are. */
  readonly cacheDtype: string;
  /** Positions compared, a distribution over the vocabulary each. */
  readonly positions: number;
  /** Largest and root-mean-square difference of a logit. */
  readonly maxError: number;
  readonly rmsError: number;
  /** Kullback-Leibler divergence of a position's distribution from float32's, in nats. */
  readonly meanKl: number;
  readonly maxKl: number;
  /** Share of positions where the most likely token is the same. */
  readonly top1: number;
  readonly perplexity: number;
  /** That of float32. */
  readonly basePerplexity: number;
}

/** What a dtype must not exceed on a model. */
export interface QualityBound {
  readonly model: string;
  readonly dtype: MatrixEncoding;
  readonly meanKl?: number;
  readonly top1?: number;
  /** |perplexity / basePerplexity - 1| */
  readonly perplexityChange?: number;
}

export interface QualityResult {
  readonly kind: "quality";
  readonly command: string;
  readonly conditions: RunConditions;
  readonly bounds: readonly QualityBound[];
  readonly errors: readonly QualityErrors[];
}
