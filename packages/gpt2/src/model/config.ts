import type { Activation } from "@gpt2-ts/tensor";
import { showValue } from "@gpt2-ts/tensor/options";
import { ModelFormatError } from "../errors.ts";
import { activationNames } from "./activation.ts";
import { parsePythonJson } from "./python-json.ts";

/** The fields of a Hugging Face `config.json` that shape a GPT-2. docs/features.md lists them all. */
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
  /** What the MLP applies to its inner channels: `"gelu"`, the tanh form, in GPT-2 as released. */
  readonly activation: Activation;
  readonly layerNormEpsilon: number;
  /** Whether attention scores are divided by √(nEmbd / nHead). */
  readonly scaleAttnWeights: boolean;
  /** Whether they are also divided by the number of their layer, from 1. */
  readonly scaleAttnByInverseLayerIdx: boolean;
  /** Whether the logits are read through the token embeddings. */
  readonly tieWordEmbeddings: boolean;
  /** The token that a text begins with, if the config names one. */
  readonly bosTokenId: number | undefined;
  /** The tokens that end a text; none if the config names none. */
  readonly eosTokenIds: readonly number[];
}

/** The fields that are read; others change nothing, or are refused by the table below. */
export const READ_FIELDS = [
  ...(["model_type", "architectures", "n_layer", "num_hidden_layers", "n_head", "num_attention_heads"] as const),
  ...(["n_embd", "hidden_size", "n_inner", "n_positions", "max_position_embeddings", "n_ctx", "vocab_size"] as const),
  ...(["activation_function", "layer_norm_epsilon", "scale_attn_weights", "scale_attn_by_inverse_layer_idx"] as const),
  ...(["tie_word_embeddings", "bos_token_id", "eos_token_id", "block_size"] as const),
];

/** Fields that would change the arithmetic, with the only values that are implemented. Empty lists and objects pass for `null`. */
export const REFUSED_FIELDS: Readonly<Record<string, readonly unknown[]>> = {
  add_cross_attention: [false, null],
  is_encoder_decoder: [false, null],
  quantization_config: [null],
  per_layer_config: [null],
  pruned_heads: [null],
};

type Field = (typeof READ_FIELDS)[number];

/**
 * Reads a `config.json`. Throws {@link ModelFormatError}, naming `file` and the field, for a value of the wrong kind and
 * for any setting that changes the arithmetic in a way that is not implemented. Sizes that are missing are GPT-2 small's, as in
 * `transformers`.
 */
export function parseConfig(text: string, file: string): GPT2Config {
  const json = parseJsonObject(text, file);
  const read = (field: Field): unknown => (Object.hasOwn(json, field) ? (json[field] ?? undefined) : undefined);
  const fail = (field: string, expected: string): never => {
    throw new ModelFormatError(file, `${field} is ${showValue(json[field])}; ${expected}`, field);
  };
  /** A size, by its name or, where that is missing, by the one that `transformers` takes as well. */
  const count = (field: Field, fallback: number, alias: Field = field, last: Field = field): number => {
    const name = [field, alias, last].find((each) => read(each) !== undefined) ?? field;
    const value = read(name) ?? fallback;
    if (!Number.isSafeInteger(value) || (value as number) < 1) fail(name, "expected an integer from 1");
    if ((read(alias) ?? value) !== value) fail(alias, `but ${field} is ${value}`);
    return value as number;
  };
  const flag = (field: Field, fallback: boolean): boolean => {
    const value = read(field) ?? fallback;
    return typeof value === "boolean" ? value : fail(field, "expected true or false");
  };

  checkType(read, file);
  for (const [field, allowed] of Object.entries(REFUSED_FIELDS)) {
    if (!Object.hasOwn(json, field) || allowed.includes(json[field]) || isEmpty(json[field])) continue;
    fail(field, `supported: ${allowed.map(showValue).join(", ")}`);
  }
  const nEmbd = count("n_embd", 768, "hidden_size");
  const nHead = count("n_head", 12, "num_attention_heads");
  if (nEmbd % nHead !== 0) {
    throw new ModelFormatError(file, `n_embd ${nEmbd} is not a multiple of n_head ${nHead}`, "n_head");
  }
  const activation = read("activation_function") ?? "gelu_new";
  if (typeof activation !== "string" || !Object.hasOwn(activationNames, activation)) {
    fail("activation_function", `supported: ${Object.keys(activationNames).join(", ")}`);
  }
  const layerNormEpsilon = read("layer_norm_epsilon") ?? 1e-5;
  if (!Number.isFinite(layerNormEpsilon) || (layerNormEpsilon as number) < 0) {
    fail("layer_norm_epsilon", "expected a number from 0");
  }
  return {
    nLayer: count("n_layer", 12, "num_hidden_layers"),
    nHead,
    nEmbd,
    nInner: count("n_inner", 4 * nEmbd),
    nPositions: count("n_positions", 1024, "max_position_embeddings", "n_ctx"),
    vocabSize: count("vocab_size", 50_257),
    activation: activationNames[activation as string]!,
    layerNormEpsilon: layerNormEpsilon as number,
    scaleAttnWeights: flag("scale_attn_weights", true),
    scaleAttnByInverseLayerIdx: flag("scale_attn_by_inverse_layer_idx", false),
    tieWordEmbeddings: flag("tie_word_embeddings", true),
    bosTokenId: tokenIds(json, "bos_token_id", file)[0],
    eosTokenIds: tokenIds(json, "eos_token_id", file),
  };
}

/** A JSON object, as Python writes it. Throws {@link ModelFormatError} for anything else. */
export function parseJsonObject(text: string, file: string): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = parsePythonJson(text);
  } catch (error) {
    throw new ModelFormatError(file, `not JSON: ${(error as Error).message}`, undefined, { cause: error });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new ModelFormatError(file, "expected a JSON object");
  }
  return json as Readonly<Record<string, unknown>>;
}

/** One token id, or a list of them; they may lie beyond the vocabulary, where no text comes to them. */
export function tokenIds(
  json: Readonly<Record<string, unknown>>,
  field: "bos_token_id" | "eos_token_id",
  file: string,
): readonly number[] {
  const value = json[field] ?? [];
  const ids: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (ids.every((id) => Number.isSafeInteger(id) && (id as number) >= 0)) return ids as readonly number[];
  throw new ModelFormatError(file, `${field} is ${showValue(value)}; expected a token id or a list of them`, field);
}

/** Throws unless it is a GPT-2's. Configs of 2019 have no `model_type`. */
function checkType(read: (field: Field) => unknown, file: string): void {
  const type = read("model_type");
  if (type === "gpt2") return;
  const architectures = read("architectures");
  const name: unknown = Array.isArray(architectures) ? architectures[0] : undefined;
  if (type === undefined && typeof name === "string" && name.startsWith("GPT2")) return;
  const hint =
    type === undefined && read("block_size") !== undefined
      ? "; this looks like a config of nanoGPT, whose checkpoints `gpt2 convert --from nanogpt` reads"
      : "";
  throw new ModelFormatError(file, `model_type is ${showValue(type)}; supported: "gpt2"${hint}`, "model_type");
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
