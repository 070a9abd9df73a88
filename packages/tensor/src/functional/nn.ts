import { encodings, type MatrixEncoding } from "../encodings/index.ts";
import { type Activation, activations } from "../ops/activation.ts";
import * as attentionOps from "../ops/attention.ts";
import * as crossEntropyOps from "../ops/cross-entropy.ts";
import * as embeddingOps from "../ops/embedding.ts";
import * as matmulOps from "../ops/matmul.ts";
import * as normalize from "../ops/normalize.ts";
import * as softmaxOps from "../ops/softmax.ts";
import * as unary from "../ops/unary.ts";
import * as vectorOps from "../ops/vectors.ts";
import { checkChoice, checkOptionNames, OptionError, showValue } from "../options.ts";
import { type Tensor, wrap } from "../tensor.ts";
import type { ReplaceAxis } from "../types/axes.ts";
import type { Check, MatMul, Ok, Shape, ShapeError, Show } from "../types/shape-types.ts";

export type { Activation };

type Last<S extends Shape> = S extends readonly [...Shape, infer D extends number] ? D : number;

/** Refuses a vector of another size than the last axis of `S`. */
export type FitsLast<Op extends string, S extends Shape, V extends Shape> = number extends S["length"]
  ? unknown
  : V extends readonly [infer D extends number]
    ? number extends D | Last<S>
      ? unknown
      : [D, Last<S>] extends [Last<S>, D]
        ? unknown
        : ShapeError<`${Op}: sizes ${Show<Last<S>>} and ${Show<D>} differ`>
    : ShapeError<`${Op}: expected a vector`>;

/**
 * `x W + b`: `[..., K] × [K, N] + [N] → [..., N]`, in one pass, followed by an activation on request: GPT-2's GELU within
 * that pass, others in one of their own. The weight is `[in, out]`, as in GPT-2's checkpoints (`Conv1D`), and may be packed
 * ({@link Tensor.pack}).
 */
export function linear<S extends Shape, W extends Shape, B extends Shape>(
  x: Tensor<S>,
  weight: Tensor<W> & Check<MatMul<S, W>>,
  bias?: Tensor<B> & FitsLast<"linear", W, B>,
  options: { readonly activation?: Activation } = {},
): Tensor<Ok<MatMul<S, W>>> {
  checkOptionNames(options, ["activation"], "linear");
  checkChoice("activation", options.activation, ["none", ...Object.keys(activations)]);
  return wrap(matmulOps.linear(x, weight as Tensor<W>, bias as Tensor<B> | undefined, options.activation));
}

/**
 * Layer normalization over the last axis: `(x - mean) / sqrt(variance + epsilon) * weight + bias`, with the biased
 * variance (Ba, Kiros, Hinton, "Layer normalization", 2016). `weight` and `bias` have the last axis's size.
 */
export function layerNorm<S extends Shape, W extends Shape, B extends Shape>(
  x: Tensor<S>,
  weight: Tensor<W> & FitsLast<"layerNorm", S, W>,
  bias: Tensor<B> & FitsLast<"layerNorm", S, B>,
  epsilon = 1e-5,
): Tensor<S> {
  return wrap(normalize.layerNorm(x, weight as Tensor<W>, bias as Tensor<B>, epsilon));
}

/**
 * The Gaussian error linear unit (Hendrycks, Gimpel, 2016). `"tanh"`, GPT-2's, is
 * `0.5 x (1 + tanh(sqrt(2/π) (x + 0.044715 x³)))`; `"none"` is the exact `0.5 x (1 + erf(x / sqrt 2))`.
 */
export function gelu<S extends Shape>(x: Tensor<S>, approximate: "tanh" | "none" = "tanh"): Tensor<S> {
  checkChoice("approximate", approximate, ["tanh", "none"]);
  return wrap(approximate === "tanh" ? unary.gelu(x) : unary.geluExact(x));
}

/** The sigmoid linear unit `x · sigmoid(x)`, also called swish (Hendrycks, Gimpel, 2016). */
export function silu<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.silu(x));
}

/** `x · sigmoid(1.702 x)`, an approximation of {@link gelu} (Hendrycks, Gimpel, 2016). */
export function quickGelu<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return wrap(unary.quickGelu(x));
}

/** e^x / Σ e^x along an axis. */
export function softmax<S extends Shape, A extends number>(
  x: Tensor<S>,
  axis: A & Check<ReplaceAxis<"softmax", S, A, []>>,
): Tensor<S> {
  return wrap(softmaxOps.softmax(x, axis));
}

/** The logarithm of {@link softmax}, without its rounding to 0. */
export function logSoftmax<S extends Shape, A extends number>(
  x: Tensor<S>,
  axis: A & Check<ReplaceAxis<"logSoftmax", S, A, []>>,
): Tensor<S> {
  return wrap(softmaxOps.logSoftmax(x, axis));
}

/**
 * Rows of `table` `[V, C]` for ids `[...]`: `[..., C]`. Throws {@link ShapeMismatchError} for an id outside 0..V-1.
 */
export function embedding<V extends number, C extends number, I extends Shape>(
  table: Tensor<[V, C]>,
  ids: Tensor<I, "int32">,
): Tensor<[...I, C]> {
  return wrap(embeddingOps.embedding(table, ids));
}

/**
 * The natural log-probabilities that rows `x` `[R, K]` give to their `targets` `[R]` among `V` classes: the logarithm of
 * `softmax(x weight)`, each row's at its target, and each row's log Σ e^logit. Logits are computed and used some rows at a time, so
 * `[R, V]` need not fit into memory; the bits are those of `x.matmul(weight).logSoftmax(-1).gather(…)`. The mean of `logProbs`, negated,
 * is the cross-entropy that training minimizes (PyTorch's `cross_entropy`, in the fused form of Wijmans et al., "Cut your losses in
 * large-vocabulary language models", 2024). The weight `[K, V]` may be packed ({@link Tensor.pack}). Throws
 * {@link ShapeMismatchError} for a target outside 0..V-1.
 */
export function targetLogProbs<R extends number, K extends number, V extends number>(
  x: Tensor<[R, K]>,
  weight: Tensor<[NoInfer<K>, V]>,
  targets: Tensor<[NoInfer<R>], "int32">,
): { logProbs: Tensor<[R]>; logSumExp: Tensor<[R]> } {
  const { logProbs, logSumExp } = crossEntropyOps.targetLogProbs(x, weight, targets);
  return { logProbs: wrap(logProbs), logSumExp: wrap(logSumExp) };
}

/** Vectors of `D` numbers `[T, H, D]`: the numbers, or the bytes that {@link encodeVectors} made of each vector. */
export type Vectors<T extends number, H extends number, D extends number> =
  | Tensor<[T, H, D]>
  | Tensor<[T, H, number], "uint8">;

/**
 * Keeps each vector of `x` `[T, H, D]` in fewer bits: rounded to the nearest bfloat16 (`"bf16"`, 2 bytes a number), or as 8-bit
 * integers with a scale of its own (`"int8"`, 1 byte a number and 4 for the scale). {@link attention} reads keys and values so
 * encoded as they lie. `"f32"` keeps all of it: the result is `x`.
 */
export function encodeVectors<T extends number, H extends number, D extends number>(
  x: Tensor<[T, H, D]>,
  encoding: MatrixEncoding,
): Vectors<T, H, D> {
  checkChoice("encoding", encoding, Object.keys(encodings));
  if (encoding === "f32") return x;
  const encoded: Tensor<[T, H, number], "uint8"> = wrap(vectorOps.encodeVectors(x, encoding));
  return encoded;
}

/** One of the sequences packed end to end in the `T` rows of an attention. */
export interface Segment<H extends number = number, D extends number = number> {
  /** Its first row. */
  readonly start: number;
  /** Its number of rows. */
  readonly length: number;
  /** Keys and values of the positions before it, `[P, H, D]` each; segments may share them. */
  readonly past?: { readonly key: Vectors<number, H, D>; readonly value: Vectors<number, H, D> } | undefined;
}

/** How {@link attention} reads its rows. */
export interface AttentionOptions<H extends number, D extends number> {
  /** The sequences. Default: one over all rows. */
  readonly segments?: readonly Segment<H, D>[];
  /** Whether a row sees only itself and what came before (default), or its whole segment. */
  readonly causal?: boolean;
  /** Multiplies the scores. Default: `1 / sqrt(D)`. */
  readonly scale?: number;
}

/**
 * Scaled dot-product attention (Vaswani et al., 2017): for each head, `softmax(scale · Q Kᵀ) V`, all `[T, H, D]`. Row t
 * of a segment attends to the segment's past, then to its rows up to t; segments do not see each other. Keys and values may be
 * what {@link encodeVectors} made of `[T, H, D]`: then all of them, those of the past too, in one encoding.
 */
export function attention<T extends number, H extends number, D extends number>(
  query: Tensor<[T, H, D]>,
  key: Vectors<NoInfer<T>, NoInfer<H>, NoInfer<D>>,
  value: Vectors<NoInfer<T>, NoInfer<H>, NoInfer<D>>,
  options: AttentionOptions<H, D> = {},
): Tensor<[T, H, D]> {
  checkAttentionOptions("attention", options, ["segments"]);
  return wrap(attentionOps.attention(query, key, value, options));
}

/** The probabilities inside {@link attention} of a single segment with P past positions: `[H, T, P + T]`. */
export function attentionWeights<T extends number, H extends number, D extends number>(
  query: Tensor<[T, H, D]>,
  key: Vectors<NoInfer<T>, NoInfer<H>, NoInfer<D>>,
  options: Omit<AttentionOptions<H, D>, "segments"> & { readonly past?: Segment<H, D>["past"] } = {},
): Tensor<[H, T, number]> {
  checkAttentionOptions("attentionWeights", options, ["past"]);
  return wrap(attentionOps.attentionWeights(query, key, options));
}

function checkAttentionOptions(
  op: string,
  options: Omit<AttentionOptions<number, number>, "segments">,
  own: readonly string[],
): void {
  checkOptionNames(options, [...own, "causal", "scale"], op);
  checkChoice("causal", options.causal, [true, false]);
  const { scale } = options;
  if (scale !== undefined && typeof scale !== "number") {
    throw new OptionError("scale", `expected a number, got ${showValue(scale)}`);
  }
}
