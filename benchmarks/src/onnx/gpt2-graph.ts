/**
 * GPT-2 as an ONNX graph with a key/value cache, written the way onnxruntime's own transformer optimizer leaves it, so
 * that the engine is measured at its best: residual add, bias and LayerNorm in one SkipLayerNormalization, bias and
 * GELU in one FastGelu, attention in one contrib op. The weights stay in `model.safetensors` as external data: both
 * engines read the same bytes.
 */
import type { SyntheticConfig } from "../synthetic.ts";
import { DATA_TYPE, GraphBuilder, type Model } from "./proto.ts";

/**
 * Which op computes attention:
 * - `attention`: com.microsoft.Attention, the projection to q, k, v included; what the gpt2 optimizer emits;
 * - `multi-head`: a MatMul for q, k, v, then com.microsoft.MultiHeadAttention;
 * - `grouped`: a MatMul, then com.microsoft.GroupQueryAttention, which can append to its cache in place;
 * - `padded`: as `multi-head`, for B sequences at once, of which a mask says what is padding; inputs and outputs are named
 *   as the Hugging Face Hub's models name them, and as transformers.js wants them.
 */
export const ATTENTION_KINDS = ["attention", "multi-head", "grouped", "padded"] as const;
export type AttentionKind = (typeof ATTENTION_KINDS)[number];

/**
 * How hidden states become logits: `gemm` multiplies with wte as it lies, `matmul` lets onnxruntime transpose it once at
 * load, `weight` takes it transposed, as `lm_head`.
 */
export const HEAD_KINDS = ["gemm", "matmul", "weight"] as const;
export type HeadKind = (typeof HEAD_KINDS)[number];

/** Where a tensor's bytes lie in the weight file, from the start of the file. */
export interface WeightLocation {
  readonly shape: readonly number[];
  readonly offset: number;
  readonly byteLength: number;
}

export interface Gpt2GraphOptions {
  readonly attention: AttentionKind;
  readonly head: HeadKind;
  /** The weight file, relative to the model file. */
  readonly weightFile: string;
}

const MS = "com.microsoft";
/** The name by which transformers.js knows that a dimension is B. */
const BATCH = "batch_size";

/**
 * Inputs: `input_ids` and `position_ids` int64 [B, S], and per layer the cache of P earlier tokens. Outputs: `logits`
 * float32 [B, S, V] (of every position) and the cache of T = P + S tokens. B is 1 but for `padded` attention, which has an
 * `attention_mask` int64 [B, T] besides.
 *
 * @throws Error when a weight is missing.
 */
export function buildGpt2Graph(
  config: SyntheticConfig,
  weights: ReadonlyMap<string, WeightLocation>,
  options: Gpt2GraphOptions,
): Model {
  const { n_layer: L, n_head: H, n_embd: D, vocab_size: V } = config;
  const epsilon = { float: config.layer_norm_epsilon };
  const g = new GraphBuilder();
  const weight = (name: string): string => {
    const at = weights.get(name);
    if (at === undefined) throw new Error(`ONNX graph: the weight file has no tensor ${name}`);
    return g.weight(name, at.shape, options.weightFile, at.offset, at.byteLength);
  };

  const B = options.attention === "padded" ? BATCH : 1;
  g.input("input_ids", "int64", [B, "S"]);
  if (options.attention === "padded") {
    g.input("attention_mask", "int64", [B, "T"]);
    g.node("Cast", ["attention_mask"], ["mask"], { to: DATA_TYPE.int32 });
  }
  g.input("position_ids", "int64", [B, "S"]);
  if (options.attention === "grouped") {
    g.input("seqlens_k", "int32", [1]);
    g.input("total_sequence_length", "int32", []);
  }
  const token = g.node("Gather", [weight("wte.weight"), "input_ids"], ["wte"]); // [B, S, D]
  const position = g.node("Gather", [weight("wpe.weight"), "position_ids"], ["wpe"]); // [B, S, D]
  let residual = g.node("Add", [token, position], ["x0"]); // [B, S, D]
  let normed = g.node(
    "LayerNormalization",
    [residual, weight("h.0.ln_1.weight"), weight("h.0.ln_1.bias")],
    ["h.0.ln_1"],
    { axis: -1, epsilon },
  );
  for (let i = 0; i < L; i++) {
    const h = `h.${i}.`;
    const attended = attention(
      g,
      i,
      normed,
      weight(`${h}attn.c_attn.weight`),
      weight(`${h}attn.c_attn.bias`),
      options,
      H,
      D,
    );
    const projected = g.node("MatMul", [attended, weight(`${h}attn.c_proj.weight`)], [`${h}attn.c_proj`]); // [B, S, D]
    const ln2 = [weight(`${h}ln_2.weight`), weight(`${h}ln_2.bias`)];
    normed = skipLayerNorm(g, `${h}ln_2`, projected, residual, ln2, weight(`${h}attn.c_proj.bias`), epsilon);
    residual = `${h}ln_2/sum`;
    const wide = g.node("MatMul", [normed, weight(`${h}mlp.c_fc.weight`)], [`${h}mlp.c_fc`]); // [B, S, 4D]
    const active = g.node("FastGelu", [wide, weight(`${h}mlp.c_fc.bias`)], [`${h}mlp.gelu`], {}, MS);
    const narrow = g.node("MatMul", [active, weight(`${h}mlp.c_proj.weight`)], [`${h}mlp.c_proj`]); // [B, S, D]
    const next = i + 1 < L ? `h.${i + 1}.ln_1` : "ln_f";
    const norm = [weight(`${next}.weight`), weight(`${next}.bias`)];
    normed = skipLayerNorm(g, next, narrow, residual, norm, weight(`${h}mlp.c_proj.bias`), epsilon);
    residual = `${next}/sum`;
  }
  if (options.head === "gemm") {
    const flat = g.node("Reshape", [normed, g.int64("flat", [-1, D])], ["ln_f/flat"]); // [S, D]
    const logits = g.node("Gemm", [flat, "wte.weight"], ["logits/flat"], { transB: 1 }); // [S, V]
    g.node("Reshape", [logits, g.int64("batched", [1, -1, V])], ["logits"]);
  } else {
    const matrix = // [D, V]
      options.head === "weight"
        ? weight("lm_head")
        : g.node("Transpose", ["wte.weight"], ["lm_head"], { perm: [1, 0] }); // folded at load
    g.node("MatMul", [normed, matrix], ["logits"]);
  }
  g.output("logits", "float", [B, "S", V]);
  return g.build("gpt2");
}

function skipLayerNorm(
  g: GraphBuilder,
  name: string,
  x: string,
  skip: string,
  norm: readonly string[],
  bias: string,
  epsilon: { readonly float: number },
): string {
  return g.node("SkipLayerNormalization", [x, skip, ...norm, bias], [name, "", "", `${name}/sum`], { epsilon }, MS);
}

/** Declares the cache's inputs and outputs of layer i and returns the attention's output [B, S, D]. */
function attention(
  g: GraphBuilder,
  i: number,
  x: string,
  weight: string,
  bias: string,
  options: Gpt2GraphOptions,
  heads: number,
  channels: number,
): string {
  const out = `h.${i}.attn`;
  const headSize = channels / heads;
  if (options.attention === "attention") {
    const past = g.input(`past_${i}`, "float", [2, 1, heads, "P", headSize]);
    g.output(`present_${i}`, "float", [2, 1, heads, "T", headSize]);
    return g.node(
      "Attention",
      [x, weight, bias, "", past],
      [out, `present_${i}`],
      { num_heads: heads, unidirectional: 1 },
      MS,
    );
  }
  const padded = options.attention === "padded";
  const batch = padded ? BATCH : 1;
  const past = padded
    ? [`past_key_values.${i}.key`, `past_key_values.${i}.value`]
    : [`past_key_${i}`, `past_value_${i}`];
  const present = padded ? [`present.${i}.key`, `present.${i}.value`] : [`present_key_${i}`, `present_value_${i}`];
  for (const name of past) g.input(name, "float", [batch, heads, "P", headSize]);
  for (const name of present) g.output(name, "float", [batch, heads, "T", headSize]);
  const qkv = g.node("MatMul", [x, weight], [`${out}/qkv`]); // [B, S, 3D]
  if (options.attention === "grouped") {
    const biased = g.node("Add", [qkv, bias], [`${out}/qkv/biased`]);
    const inputs = [biased, "", "", ...past, "seqlens_k", "total_sequence_length"];
    return g.node("GroupQueryAttention", inputs, [out, ...present], { num_heads: heads, kv_num_heads: heads }, MS);
  }
  const parts = [`${out}/q`, `${out}/k`, `${out}/v`];
  g.node("Split", [qkv], parts, { axis: -1 });
  return g.node(
    "MultiHeadAttention",
    [...parts, bias, padded ? "mask" : "", "", ...past],
    [out, ...present],
    { num_heads: heads, unidirectional: 1 },
    MS,
  );
}
