import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ModelFormatError } from "../../src/errors.ts";
import { parseConfig, READ_FIELDS, REFUSED_FIELDS } from "../../src/model/config.ts";

const small = { model_type: "gpt2", n_layer: 12, n_head: 12, n_embd: 768, n_positions: 1024, vocab_size: 50257 };
const parse = (fields: object): ReturnType<typeof parseConfig> => parseConfig(pythonJson(fields), "config.json");

/** As Python writes it. */
function pythonJson(fields: object): string {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  const text = (value: unknown): string => (typeof value === "number" ? String(value) : JSON.stringify(value));
  return `{${entries.map(([key, value]) => `${JSON.stringify(key)}: ${text(value)}`).join(", ")}}`;
}

describe("parseConfig", () => {
  test("fills in what the Hub's GPT-2 configs leave out", () => {
    expect(parse(small)).toEqual({
      nLayer: 12,
      nHead: 12,
      nEmbd: 768,
      nInner: 3072,
      nPositions: 1024,
      vocabSize: 50257,
      activation: "gelu",
      layerNormEpsilon: 1e-5,
      scaleAttnWeights: true,
      scaleAttnByInverseLayerIdx: false,
      tieWordEmbeddings: true,
      bosTokenId: undefined,
      eosTokenIds: [],
    });
    expect(parse({ model_type: "gpt2" })).toEqual(parse(small));
  });

  test("takes configs of 2019, which have no model_type", () => {
    const { model_type, ...rest } = small;
    expect(parse({ ...rest, architectures: ["GPT2LMHeadModel"] })).toEqual(parse(small));
    expect(() => parse({ ...rest, architectures: ["GPTNeoForCausalLM"] })).toThrow(
      'model_type is undefined; supported: "gpt2"',
    );
    expect(() => parse({ n_layer: 12, block_size: 1024, bias: false })).toThrow("`gpt2 convert --from nanogpt`");
  });

  test("takes sizes by transformers' other names, and refuses two that differ", () => {
    const { n_layer, n_embd, ...rest } = small;
    expect(parse({ ...rest, num_hidden_layers: 3, hidden_size: 96 })).toMatchObject({ nLayer: 3, nEmbd: 96 });
    expect(parse({ ...small, hidden_size: 768 }).nEmbd).toBe(768);
    expect(() => parse({ ...small, hidden_size: 384 })).toThrow("config.json: hidden_size is 384; but n_embd is 768");
  });

  test("takes one id or a list where a text begins and ends, also beyond the vocabulary", () => {
    expect(parse({ ...small, bos_token_id: 1, eos_token_id: 2 })).toMatchObject({ bosTokenId: 1, eosTokenIds: [2] });
    expect(parse({ ...small, eos_token_id: [50256, 10] }).eosTokenIds).toEqual([50256, 10]);
    expect(parse({ ...small, eos_token_id: 60000 }).eosTokenIds).toEqual([60000]);
    expect(parse({ ...small, eos_token_id: [] }).eosTokenIds).toEqual([]);
  });

  test("names every activation that there is for one that there is not", () => {
    expect(() => parse({ ...small, activation_function: "mish" })).toThrow(
      'config.json: activation_function is "mish"; supported: gelu_new, gelu_pytorch_tanh, gelu_python_tanh, gelu_fast, ' +
        "gelu_accurate, gelu, gelu_python, quick_gelu, relu, silu, swish, sigmoid, tanh, linear",
    );
    expect(() => parse({ ...small, activation_function: "toString" })).toThrow(ModelFormatError);
  });

  test("takes what is empty for what is not there", () => {
    expect(parse({ ...small, pruned_heads: {}, quantization_config: null })).toEqual(parse(small));
  });

  test("shows of a long text of strange characters its beginning, escaped", () => {
    const strange = `\u001b]0;\u009b31m\u202e${" ".repeat(2_000_000)}`;
    expect(() => parse({ ...small, model_type: strange })).toThrow(
      /^config\.json: model_type is "\\u001b\]0;\\u009b31m\\u202e +…"; supported: "gpt2"$/,
    );
  });

  test("takes null for absent, as the Hub writes n_inner", () => {
    expect(parse({ ...small, n_inner: null, eos_token_id: null }).nInner).toBe(3072);
  });

  test("takes n_ctx where n_positions is missing", () => {
    const { n_positions, ...rest } = small;
    expect(parse({ ...rest, n_ctx: 256 }).nPositions).toBe(256);
    expect(parse({ ...small, n_ctx: 256 }).nPositions).toBe(1024);
  });

  test.each([
    ["model_type", "gpt_neo"],
    ["model_type", undefined],
    ["activation_function", "mish"],
    ["activation_function", 1],
    ["scale_attn_weights", "yes"],
    ["scale_attn_by_inverse_layer_idx", 1],
    ["per_layer_config", { 0: { n_head: 6 } }],
    ["pruned_heads", { 0: [1] }],
    ["add_cross_attention", true],
    ["quantization_config", { bits: 4 }],
    ["n_layer", 0],
    ["n_layer", "12"],
    ["n_embd", 7.5],
    ["n_head", 7],
    ["vocab_size", "50257"],
    ["layer_norm_epsilon", Infinity],
    ["layer_norm_epsilon", NaN],
    ["layer_norm_epsilon", -1],
    ["layer_norm_epsilon", "1e-5"],
    ["tie_word_embeddings", "yes"],
    ["eos_token_id", -1],
    ["eos_token_id", [50256, "x"]],
    ["bos_token_id", 0.5],
    ["n_inner", -4],
  ])("refuses %s %j, naming file and field", (field, value) => {
    const attempt = (): unknown => parse({ ...small, [field]: value });
    expect(attempt).toThrow(ModelFormatError);
    expect(attempt).toThrow(new RegExp(`^config\\.json: .*${field}`));
  });

  test.each(["", "[]", "null", "12", "NaN", '{"model_type": "gpt2"'])("refuses %j", (text) => {
    expect(() => parseConfig(text, "config.json")).toThrow(ModelFormatError);
  });

  test("parses or throws its own error, whatever the fields", () => {
    const value = fc.oneof(fc.jsonValue(), fc.integer(), fc.constantFrom(...Object.values(small)));
    const field = fc.constantFrom<string>(...READ_FIELDS, ...Object.keys(REFUSED_FIELDS));
    fc.assert(
      fc.property(fc.dictionary(field, value), (fields) => {
        try {
          const config = parse({ ...small, ...fields });
          expect(config.nEmbd % config.nHead).toBe(0);
        } catch (error) {
          expect(error).toBeInstanceOf(ModelFormatError);
        }
      }),
    );
  });
});
