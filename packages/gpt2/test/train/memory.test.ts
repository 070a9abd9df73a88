import { createWasmBackend } from "@gpt2-ts/tensor";
import { describe, expect, it } from "vitest";
import { disposeModel } from "../../src/model/dispose.ts";
import { initialModel } from "../../src/model/initialize.ts";
import { type ModelShape, newConfig } from "../../src/model/new-config.ts";
import { checkTrainingMemory, Trainer, type TrainingOptions } from "../../src/train/index.ts";

/** The device's own count of the most bytes in use at once, by the estimate. */
async function peakByEstimate(shape: ModelShape, options: TrainingOptions, threads = 1): Promise<number> {
  const device = createWasmBackend({ threads });
  const config = newConfig(shape);
  const model = initialModel(config, { seed: 1, device });
  const { batchTokens = 0 } = options;
  const train = Uint16Array.from(
    { length: 2 * batchTokens + shape.context + 1 },
    (_, i) => (i * 7919) % shape.vocabSize,
  );
  {
    using trainer = new Trainer(model, { train, heldOut: train.subarray(0, 0) }, { steps: 9, ...options });
    for (let step = 0; step < 2; step++) await trainer.step();
  }
  const { peakBytes } = device.info();
  disposeModel(model);
  device.dispose();
  return peakBytes / checkTrainingMemory(config, options).total;
}

describe("the estimate of a training's memory is what it takes, within a quarter", () => {
  const deep = { layers: 12, heads: 4, channels: 64, context: 128, vocabSize: 300 };
  const flat = { layers: 1, heads: 4, channels: 256, context: 64, vocabSize: 512 };
  const many = { layers: 2, heads: 4, channels: 128, context: 64, vocabSize: 8192 };
  const wide = { layers: 1, heads: 4, channels: 256, context: 64, vocabSize: 65 };
  const tiny = { layers: 1, heads: 2, channels: 32, context: 64, vocabSize: 300 };
  const lower = ["wte.weight", "wpe.weight", ...Array.from({ length: 11 }, (_, i) => `h.${i}.*`)];

  it.each<[string, ModelShape, TrainingOptions, number?]>([
    ["tokens of a step, in two parts", deep, { batchTokens: 256, microBatchTokens: 128 }],
    ["tokens of a step, in one part", deep, { batchTokens: 256 }],
    ["weights", wide, { batchTokens: 64 }],
    ["weights and tokens, three threads", flat, { batchTokens: 256 }, 3],
    ["logits", many, { batchTokens: 256, microBatchTokens: 128 }],
    ["gradients of one block", wide, { batchTokens: 256, microBatchTokens: 128 }],
    ["masks of dropout", deep, { batchTokens: 256, microBatchTokens: 128, dropout: 0.5 }],
    ["the only block that is not frozen", deep, { batchTokens: 512, microBatchTokens: 256, freeze: lower }],
    ["next to nothing", tiny, { batchTokens: 128, microBatchTokens: 64 }],
  ])("where most of it is for %s", async (_, shape, options, threads) => {
    const ratio = await peakByEstimate(shape, options, threads);
    expect(ratio).toBeGreaterThan(0.8);
    expect(ratio).toBeLessThan(1.25);
  });
});
