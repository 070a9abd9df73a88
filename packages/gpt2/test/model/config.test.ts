import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ModelFormatError } from "../../src/errors.ts";
import { parseConfig } from "../../src/model/config.ts";

const small = { model_type: "gpt2", n_layer: 12, n_head: 12, n_embd: 768, n_positions: 1024, vocab_size: 50257 };
const parse = (fields: object): ReturnType<typeof parseConfig> => parseConfig(JSON.stringify(fields), "config.json");

describe("parseConfig", () => {
  test("fills in what the Hub's GPT-2 configs leave out", () => {
    expect(parse(small)).toEqual({
      nLayer: 12,
      nHead: 12,
      nEmbd: 768,
      nInner: 3072,
      nPositions: 1024,
      vocabSize: 50257,
      layerNormEpsilon: 1e-5,
      tieWordEmbeddings: true,
      eosTokenId: undefined,
    });
  });

  test("takes null for absent, as the Hub writes n_inner", () => {
    expect(parse({ ...small, n_inner: null, eos_token_id: null }).nInner).toBe(3072);
  });

  test("takes n_ctx where n_positions is missing", () => {
    const { n_positions, ...rest } = small;
    expect(parse({ ...rest, n_ctx: 256 }).nPositions).toBe(256);
  });

  test.each([
    ["model_type", "gpt_neo"],
    ["model_type", undefined],
    ["activation_function", "relu"],
    ["scale_attn_weights", false],
    ["scale_attn_by_inverse_layer_idx", true],
    ["add_cross_attention", true],
    ["quantization_config", { bits: 4 }],
    ["n_layer", 0],
    ["n_layer", "12"],
    ["n_embd", 7.5],
    ["n_head", 7],
    ["vocab_size", undefined],
    ["n_positions", undefined],
    ["layer_norm_epsilon", -1],
    ["layer_norm_epsilon", "1e-5"],
    ["tie_word_embeddings", "yes"],
    ["eos_token_id", 50257],
    ["n_inner", -4],
  ])("refuses %s %j, naming file and field", (field, value) => {
    const attempt = (): unknown => parse({ ...small, [field]: value });
    expect(attempt).toThrow(ModelFormatError);
    expect(attempt).toThrow(new RegExp(`^config\\.json: .*${field}`));
  });

  test.each(["", "[]", "null", "12", '{"model_type": "gpt2"'])("refuses %j", (text) => {
    expect(() => parseConfig(text, "config.json")).toThrow(ModelFormatError);
  });

  test("parses or throws its own error, whatever the fields", () => {
    const value = fc.oneof(fc.jsonValue(), fc.integer(), fc.constantFrom(...Object.values(small)));
    const field = fc.constantFrom(...Object.keys(small), "n_inner", "layer_norm_epsilon", "tie_word_embeddings");
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
