import { activationNames } from "./activation.ts";
import type { GPT2Config } from "./config.ts";

/** A config as the text of a `config.json`, which `transformers` reads too. */
export function configFile(config: GPT2Config): string {
  const { nEmbd, nInner, bosTokenId, eosTokenIds, scaleAttnWeights, scaleAttnByInverseLayerIdx } = config;
  const [activation] = Object.entries(activationNames).find(([, function_]) => function_ === config.activation)!;
  const fields = {
    architectures: ["GPT2LMHeadModel"],
    model_type: "gpt2",
    activation_function: activation,
    n_layer: config.nLayer,
    n_head: config.nHead,
    n_embd: nEmbd,
    ...(nInner !== 4 * nEmbd && { n_inner: nInner }),
    n_positions: config.nPositions,
    n_ctx: config.nPositions,
    vocab_size: config.vocabSize,
    layer_norm_epsilon: config.layerNormEpsilon,
    ...(!scaleAttnWeights && { scale_attn_weights: false }),
    ...(scaleAttnByInverseLayerIdx && { scale_attn_by_inverse_layer_idx: true }),
    tie_word_embeddings: config.tieWordEmbeddings,
    embd_pdrop: 0,
    attn_pdrop: 0,
    resid_pdrop: 0,
    ...(bosTokenId !== undefined && { bos_token_id: bosTokenId }),
    ...(eosTokenIds.length > 0 && { eos_token_id: eosTokenIds.length === 1 ? eosTokenIds[0] : eosTokenIds }),
  };
  return `${JSON.stringify(fields, undefined, 2)}\n`;
}
