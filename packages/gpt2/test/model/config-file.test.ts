import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type GPT2Config, parseConfig } from "../../src/model/config.ts";
import { configFile } from "../../src/model/config-file.ts";

const size = fc.integer({ min: 1, max: 5000 });
const id = fc.nat(100_000);
const configs: fc.Arbitrary<GPT2Config> = fc
  .record({
    nLayer: size,
    nHead: fc.integer({ min: 1, max: 64 }),
    headSize: fc.integer({ min: 1, max: 128 }),
    innerFactor: fc.constantFrom(2, 3, 4, 8),
    nPositions: size,
    vocabSize: size,
    activation: fc.constantFrom("gelu", "geluExact", "quickGelu", "relu", "silu", "sigmoid", "tanh", "none"),
    layerNormEpsilon: fc.double({ min: 0, max: 1, noNaN: true }),
    scaleAttnWeights: fc.boolean(),
    scaleAttnByInverseLayerIdx: fc.boolean(),
    tieWordEmbeddings: fc.boolean(),
    bosTokenId: fc.option(id, { nil: undefined }),
    eosTokenIds: fc.uniqueArray(id, { maxLength: 3 }),
  })
  .map(({ headSize, innerFactor, ...rest }) => {
    const nEmbd = rest.nHead * headSize;
    return { ...rest, nEmbd, nInner: innerFactor * nEmbd } as GPT2Config;
  });

describe("a config.json that is written", () => {
  it("says what the config says", () => {
    fc.assert(
      fc.property(configs, (config) => {
        expect(parseConfig(configFile(config), "config.json")).toEqual(config);
      }),
    );
  });

  it("has the names that transformers writes", () => {
    const text = JSON.stringify({
      model_type: "gpt2",
      n_layer: 2,
      n_head: 2,
      n_embd: 16,
      n_positions: 32,
      vocab_size: 64,
    });
    const fields = JSON.parse(configFile(parseConfig(text, "config.json")));
    expect(fields).toMatchObject({
      architectures: ["GPT2LMHeadModel"],
      model_type: "gpt2",
      activation_function: "gelu_new",
      n_ctx: 32,
      tie_word_embeddings: true,
    });
    expect(Object.keys(fields)).not.toContain("eos_token_id");
  });
});
