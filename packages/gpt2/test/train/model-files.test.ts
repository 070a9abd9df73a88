import { createWasmBackend, DeviceError } from "@gpt2-ts/tensor";
import { afterAll, describe, expect, it } from "vitest";
import { GPT2 } from "../../src/gpt2.ts";
import { parseConfig } from "../../src/model/config.ts";
import { initialModel } from "../../src/model/initialize.ts";
import { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { trainBPE } from "../../src/tokenizer/train.ts";
import { checkTrainingMemory, modelFiles, newConfig, trainingMemory } from "../../src/train/index.ts";

const device = createWasmBackend({ threads: 1, deterministic: true });
afterAll(() => device.dispose());

describe("a model as files", () => {
  it("loads with the same bits and the same tokens", async () => {
    const learned = (await trainBPE("to be, or not to be: ".repeat(20), { vocabSize: 270 })).toFiles();
    const tokenizer = Tokenizer.fromVocab(learned);
    const { vocabSize, endOfText } = tokenizer;
    const config = newConfig({ layers: 2, heads: 2, channels: 16, context: 32, vocabSize, endOfText });
    using gpt2 = new GPT2(initialModel(config, { seed: 1, device }), tokenizer);

    const files = await modelFiles(gpt2.model, learned);
    expect(Object.keys(files).sort()).toEqual(["config.json", "merges.txt", "model.safetensors", "vocab.json"]);
    using loaded = await GPT2.load(files, { device });

    expect(loaded.config).toEqual(gpt2.config);
    const ids = gpt2.tokenizer.encode("not to be");
    expect(loaded.tokenizer.encode("not to be")).toEqual(ids);
    using logits = gpt2.logits(ids);
    using others = loaded.logits(ids);
    expect(await others.data()).toEqual(await logits.data());
  });
});

describe("the config of a new model", () => {
  const shape = { layers: 12, heads: 12, channels: 768, context: 1024, vocabSize: 50_257, endOfText: 50_256 };

  it("is GPT-2's where the sizes are", () => {
    expect(newConfig(shape)).toEqual(
      parseConfig('{"model_type":"gpt2","bos_token_id":50256,"eos_token_id":50256}', ""),
    );
  });

  it("is refused for sizes that cannot be", () => {
    expect(() => newConfig({ ...shape, heads: 11 })).toThrow("heads: 768 channels cannot be shared by 11 heads");
    expect(() => newConfig({ ...shape, context: 0.5 })).toThrow("context: expected an integer from 1");
  });
});

describe("the memory of a training", () => {
  const gpt2 = (fields: object) => parseConfig(JSON.stringify({ model_type: "gpt2", ...fields }), "config.json");

  it("is that of the tokens that are computed at once", () => {
    const config = gpt2({});
    expect(checkTrainingMemory(config)).toEqual(trainingMemory(config, { tokens: 1024 }));
    expect(checkTrainingMemory(config, { context: 64, batchTokens: 128 })).toEqual(
      trainingMemory(config, { tokens: 128 }),
    );
  });

  it("is told apart for frozen blocks below, and for dropout", () => {
    const config = gpt2({});
    const of = (load: object): number => trainingMemory(config, { tokens: 512, ...load }).activations;
    const block = 4 * 512 * 16 * 768;
    expect(of({})).toBe(12 * block + 4 * 512 * 2 * 768);
    expect(of({ dropout: true }) - of({})).toBe(4 * 512 * (2 * 12 + 1) * 768);
    expect(of({}) - of({ isTrained: (name: string) => /^h\.(9|10|11)\./.test(name) })).toBe(9 * block);
    expect(of({ isTrained: (name: string) => name === "wpe.weight" || name === "h.11.ln_1.bias" })).toBe(of({}));
    expect(of({ isTrained: (name: string) => name === "ln_f.weight" })).toBe(of({}) - 12 * block);
  });

  it("is refused where it is more than WebAssembly has, but not with most of the weights frozen", () => {
    const medium = gpt2({ n_layer: 24, n_head: 16, n_embd: 1024 });
    expect(() => checkTrainingMemory(medium)).toThrow(DeviceError);
    expect(() => checkTrainingMemory(medium)).toThrow(
      /takes about [\d.]+ GB .* and a WebAssembly memory holds 4\.3 GB/,
    );
    expect(checkTrainingMemory(medium, { freeze: ["h.*"], microBatchTokens: 1024 }).total).toBeLessThan(2 ** 32);
  });
});
