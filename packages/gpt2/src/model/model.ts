/**
 * GPT-2, the whole of it. Read from top to bottom: sizes, weights, one block, the stack, the logits.
 *
 * References:
 * 1. Radford, Wu, Child, Luan, Amodei, Sutskever, "Language models are unsupervised multitask learners", 2019.
 * 2. The TensorFlow code released with it: https://github.com/openai/gpt-2/blob/master/src/model.py
 * 3. Hugging Face's PyTorch version, whose names the weights carry: transformers/models/gpt2/modeling_gpt2.py
 *
 * The letters in shapes:
 *   T  tokens that this pass runs on. Several sequences lie packed end to end: there is no batch axis and no padding.
 *   C  channels of the residual stream (`n_embd`): 768 in GPT-2 small
 *   H  attention heads (`n_head`): 12           D  channels of one head, C / H: 64
 *   V  tokens in the vocabulary: 50,257         F  channels inside the MLP, 4 C: 3,072
 */
import {
  attention,
  type Dim,
  embedding,
  encodeVectors,
  layerNorm,
  linear,
  type MatrixEncoding,
  type Named,
  type Segment,
  type Tensor,
  tidy,
  type Vectors,
} from "@gpt2-ts/tensor";
import type { GPT2Config } from "./config.ts";

export type T = Named<"T">;
export type C = Named<"C">;
export type H = Named<"H">;
export type D = Named<"D">;
export type V = Named<"V">;
export type F = Named<"F">;

/** The sizes of one model, named, so that the compiler follows them through every line below. */
export interface Sizes {
  readonly C: C;
  readonly H: H;
  readonly D: D;
  readonly V: V;
  readonly F: F;
  readonly QKV: Named<"3C">;
  readonly positions: Named<"n_positions">;
}

/** Gain and shift of a layer normalization. */
export interface LayerNorm {
  readonly weight: Tensor<[C]>; // called g in the paper's code
  readonly bias: Tensor<[C]>;
}

/** `x W + b`. The weight lies `[in, out]`, as GPT-2's checkpoints hold it. */
export interface Linear<In extends Dim, Out extends Dim> {
  readonly weight: Tensor<[In, Out]>;
  readonly bias: Tensor<[Out]>;
}

/** The weights of one block, with GPT-2's own names. */
export interface Block {
  readonly ln1: LayerNorm;
  readonly attn: { readonly cAttn: Linear<C, Named<"3C">>; readonly cProj: Linear<C, C> };
  readonly ln2: LayerNorm;
  readonly mlp: { readonly cFc: Linear<C, F>; readonly cProj: Linear<F, C> };
}

/** All weights of a model. */
export interface Weights {
  readonly wte: Tensor<[V, C]>; // token embeddings
  readonly wpe: Tensor<[Named<"n_positions">, C]>; // position embeddings
  readonly h: readonly Block[];
  readonly lnF: LayerNorm;
  readonly lmHead: Tensor<[V, C]>; // the token embeddings again, unless the checkpoint has its own
}

/** A model is its config and its weights; everything else is functions. */
export interface Model {
  readonly config: GPT2Config;
  readonly sizes: Sizes;
  readonly weights: Weights;
  /** What keys and values are rounded to in every pass, so that a token sees the same ones whether they come from a KV cache or not. */
  readonly cacheDtype: MatrixEncoding;
}

/** What the model reads of the tokens that a pass runs on. */
export interface PassInput {
  /** Tokens of all sequences together. */
  readonly length: T;
  readonly ids: Tensor<[T], "int32">;
  readonly positions: Tensor<[T], "int32">;
  /** The sequences as the attention of layer `layer` sees them. */
  segments(layer: number): readonly Segment<H, D>[];
  /** Hands the new keys and values of layer `layer` to whoever keeps them. */
  remember(layer: number, key: Vectors<T, H, D>, value: Vectors<T, H, D>): void;
}

/**
 * The stack: token and position embeddings, all blocks, the final layer normalization. Returns what the logits are computed
 * from, one row for each token of the batch.
 */
export function forward(model: Model, batch: PassInput): Tensor<[T, C]> {
  const steps = forwardInSteps(model, batch);
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value;
}

/** The same, yielding twice a block and behind the last: a long pass takes a second, and others may be waiting for the thread. */
export function* forwardInSteps(model: Model, batch: PassInput): Generator<void, Tensor<[T, C]>> {
  const { wte, wpe, h, lnF } = model.weights;
  let x = tidy(() => embedding(wte, batch.ids).add(embedding(wpe, batch.positions))); // [T, C]
  for (const [layer, block] of h.entries()) {
    using before = x;
    yield;
    x = yield* transformerBlock(model, block, before, batch, layer); // [T, C]
  }
  using last = x;
  yield;
  return normalize(model, last, lnF); // [T, C]
}

/** One block: the outputs of the attention and then of the MLP are added to the residual stream. */
function* transformerBlock(
  model: Model,
  block: Block,
  x: Tensor<[T, C]>,
  batch: PassInput,
  layer: number,
): Generator<void, Tensor<[T, C]>> {
  using attended = tidy(() => x.add(selfAttention(model, block.attn, normalize(model, x, block.ln1), batch, layer))); // [T, C]
  yield;
  return tidy(() => attended.add(mlp(model, block.mlp, normalize(model, attended, block.ln2)))); // [T, C]
}

/** Causal multi-head self-attention: each token gathers what its query asks for from itself and those before it. */
function selfAttention(
  { config, sizes: { C, H, D }, cacheDtype }: Model,
  { cAttn, cProj }: Block["attn"],
  x: Tensor<[T, C]>,
  batch: PassInput,
  layer: number,
): Tensor<[T, C]> {
  const T = batch.length;
  const [q, k, v] = linear(x, cAttn.weight, cAttn.bias).split([C, C, C], -1); // 3 × [T, C], out of [T, 3C]
  const query = q.reshape([T, H, D]);
  const key = encodeVectors(k.reshape([T, H, D]), cacheDtype); // as a KV cache keeps it
  const value = encodeVectors(v.reshape([T, H, D]), cacheDtype);
  const segments = batch.segments(layer); // where each sequence begins, and its KV cache
  const y = attention(query, key, value, { segments, scale: scoreScale(config, D, layer) }); // [T, H, D]
  batch.remember(layer, key, value);
  return linear(y.reshape([T, C]), cProj.weight, cProj.bias); // [T, C]
}

/** What scores are multiplied by: 1/√D. Some models also divide by the layer's number, or do not divide at all. */
function scoreScale({ scaleAttnWeights, scaleAttnByInverseLayerIdx }: GPT2Config, D: D, layer: number): number {
  const scale = scaleAttnWeights ? 1 / Math.sqrt(D) : 1;
  return scaleAttnByInverseLayerIdx ? scale / (layer + 1) : scale;
}

/** The feed-forward network: out to 4 C channels, GELU (in GPT-2 as released), and back. */
function mlp({ config }: Model, { cFc, cProj }: Block["mlp"], x: Tensor<[T, C]>): Tensor<[T, C]> {
  const hidden = linear(x, cFc.weight, cFc.bias, { activation: config.activation }); // [T, F]
  return linear(hidden, cProj.weight, cProj.bias); // [T, C]
}

function normalize({ config }: Model, x: Tensor<[T, C]>, { weight, bias }: LayerNorm): Tensor<[T, C]> {
  return layerNorm(x, weight, bias, config.layerNormEpsilon); // [T, C]
}

/** For each row of the stack's output, a score for every token that could come next. */
export function logits(model: Model, x: Tensor<[number, C]>): Tensor<[number, V]> {
  return tidy(() => x.matmul(model.weights.lmHead.transpose())); // [rows, V]
}
