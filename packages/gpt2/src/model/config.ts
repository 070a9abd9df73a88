import { ModelFormatError } from "../errors.ts";

/** The fields of a Hugging Face `config.json` that shape a GPT-2. */
export interface GPT2Config {
  readonly nLayer: number;
  readonly nHead: number;
  /** Channels of the residual stream. */
  readonly nEmbd: number;
  /** Channels inside the MLP: 4 · nEmbd unless the config says otherwise. */
  readonly nInner: number;
  /** The longest context. */
  readonly nPositions: number;
  readonly vocabSize: number;
  readonly layerNormEpsilon: number;
  /** Whether the logits are read through the token embeddings. */
  readonly tieWordEmbeddings: boolean;
  readonly eosTokenId: number | undefined;
}

/** Fields that would change the arithmetic, with the only values that are implemented. */
const required: Readonly<Record<string, readonly unknown[]>> = {
  model_type: ["gpt2"],
  activation_function: ["gelu_new", "gelu_pytorch_tanh"], // two names of the tanh form
  scale_attn_weights: [true],
  scale_attn_by_inverse_layer_idx: [false],
  add_cross_attention: [false],
  is_encoder_decoder: [false],
  quantization_config: [null],
};

/** Fields that must be there; the others have the Hub's defaults. */
const demanded = ["model_type"];

/**
 * Reads a `config.json`. Throws {@link ModelFormatError}, naming `file` and the field, for a value of the wrong kind and
 * for any setting that changes the arithmetic in a way that is not implemented.
 */
export function parseConfig(text: string, file: string): GPT2Config {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ModelFormatError(file, `not JSON: ${(error as Error).message}`, undefined, { cause: error });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new ModelFormatError(file, "expected a JSON object");
  }
  const fields = json as Readonly<Record<string, unknown>>;
  for (const [field, allowed] of Object.entries(required)) {
    const value = fields[field];
    if (value === undefined && !demanded.includes(field)) continue;
    if (!allowed.includes(value)) {
      throw new ModelFormatError(
        file,
        `${field} is ${JSON.stringify(value)}; supported: ${allowed.map((item) => JSON.stringify(item)).join(", ")}`,
        field,
      );
    }
  }
  const count = (field: string, fallback?: number): number => {
    const value = fields[field] ?? fallback;
    if (!Number.isSafeInteger(value) || (value as number) < 1) {
      throw new ModelFormatError(file, `${field} is ${JSON.stringify(value)}; expected an integer from 1`, field);
    }
    return value as number;
  };
  const nEmbd = count("n_embd");
  const nHead = count("n_head");
  if (nEmbd % nHead !== 0) {
    throw new ModelFormatError(file, `n_embd ${nEmbd} is not a multiple of n_head ${nHead}`, "n_head");
  }
  const layerNormEpsilon = fields["layer_norm_epsilon"] ?? 1e-5;
  if (typeof layerNormEpsilon !== "number" || !(layerNormEpsilon >= 0)) {
    throw new ModelFormatError(
      file,
      `layer_norm_epsilon is ${JSON.stringify(layerNormEpsilon)}; expected a number from 0`,
      "layer_norm_epsilon",
    );
  }
  const vocabSize = count("vocab_size");
  return {
    nLayer: count("n_layer"),
    nHead,
    nEmbd,
    nInner: count("n_inner", 4 * nEmbd),
    nPositions: count("n_positions", fields["n_ctx"] as number | undefined),
    vocabSize,
    layerNormEpsilon,
    tieWordEmbeddings: flag(fields, "tie_word_embeddings", true, file),
    eosTokenId: endOfSequence(fields["eos_token_id"], vocabSize, file),
  };
}

function flag(fields: Readonly<Record<string, unknown>>, field: string, fallback: boolean, file: string): boolean {
  const value = fields[field] ?? fallback;
  if (typeof value !== "boolean") {
    throw new ModelFormatError(file, `${field} is ${JSON.stringify(value)}; expected true or false`, field);
  }
  return value;
}

function endOfSequence(value: unknown, vocabSize: number, file: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) >= vocabSize) {
    throw new ModelFormatError(
      file,
      `eos_token_id is ${JSON.stringify(value)}; expected an id below ${vocabSize}`,
      "eos_token_id",
    );
  }
  return value as number;
}
