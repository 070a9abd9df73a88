import { createWasmBackend, fromData, type Tensor, targetLogProbs, tidy, valueAndGrad } from "@gpt2-ts/tensor";
import { expect, onTestFinished, test } from "vitest";
import { Batch } from "../../src/model/batch.ts";
import { forward, type Model } from "../../src/model/model.ts";
import { namedWeights } from "../../src/model/weights.ts";
import { randomModel } from "../support/models.ts";

// Large enough that the work is split over threads, with sequences that end within tiles and blocks.
const shape = { nLayer: 2, nHead: 2, nEmbd: 48, nPositions: 320, vocabSize: 1500 };
const lengths = [37, 300, 1];

function gradientsOn(threads: number): ReadonlyMap<string, Float32Array> {
  const device = createWasmBackend({ threads, deterministic: true });
  onTestFinished(() => device.dispose());
  const model: Model = randomModel(device, shape);
  const sequences = lengths.map((length) => ({ ids: Array.from({ length }, (_, i) => (i * 7 + length) % 1500) }));
  const batch = new Batch(model, sequences);
  const ids = Int32Array.from({ length: batch.length }, (_, i) => (i * 11) % 1500);
  const targets = fromData(ids, [batch.length], { dtype: "int32", device }) as Tensor<never, "int32">;
  const loss = (): Tensor<[]> =>
    tidy(() => targetLogProbs(forward(model, batch), model.weights.lmHead.T, targets).logProbs.mean().neg());
  const first = valueAndGrad(model.weights, loss);
  const { gradients } = valueAndGrad(model.weights, loss, { into: first.gradients });
  expect(device.fallbacks.entries()).toEqual([]);
  const found = new Map<string, Float32Array>([["loss", first.value.dataSync()]]);
  for (const [{ name }, gradient] of namedWeights({ config: model.config, weights: gradients })) {
    found.set(name, gradient.dataSync());
  }
  return found;
}

test("a training step has kernels for all of it, and the same bits on one, two and three threads", () => {
  const alone = gradientsOn(1);
  expect(alone.size).toBeGreaterThan(20);
  for (const threads of [2, 3]) expect(gradientsOn(threads)).toEqual(alone);
});
