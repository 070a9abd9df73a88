import { createWasmBackend, fromData, type Tensor, targetLogProbs, tidy, valueAndGrad } from "@gpt2-ts/tensor";
import { afterAll, describe, expect, test } from "vitest";
import { Batch } from "../../src/model/batch.ts";
import { forward, logits, type Model } from "../../src/model/model.ts";
import { namedWeights } from "../../src/model/weights.ts";
import { randomModel } from "../support/models.ts";

const device = createWasmBackend({ threads: 1, deterministic: true });
afterAll(() => device.dispose());

const shape = { nLayer: 2, nHead: 2, nEmbd: 8, nPositions: 6, vocabSize: 11 };
const model = randomModel(device, shape);
const batch = new Batch(model, [{ ids: [1, 2, 3, 4] }, { ids: [9, 0, 10] }]);
const targets = fromData([2, 3, 4, 5, 0, 10, 9], [7], { dtype: "int32", device });

/** Cross-entropy by logits that exist at once, or row by row: as the library's users, or its trainer, would write it. */
const losses = {
  logits: (by: Model) =>
    tidy(() => logits(by, forward(by, batch)).logSoftmax(-1).gather(-1, targets.unsqueeze(-1)).mean().neg()),
  targetLogProbs: (by: Model) =>
    tidy(() =>
      targetLogProbs(forward(by, batch), by.weights.lmHead.T, targets as never)
        .logProbs.mean()
        .neg(),
    ),
} as Record<string, (by: Model) => Tensor<[]>>;

describe.each(Object.keys(losses))("gradients of GPT-2's forward pass, cross-entropy by %s", (kind) => {
  const lossOf = losses[kind]!;
  const { value, gradients } = valueAndGrad(model.weights, () => lossOf(model));

  test("the loss has the bits of a pass that nobody watches", () => {
    expect(value.dataSync()).toEqual(lossOf(model).dataSync());
  });

  test("there is one for every weight, as differences say", () => {
    const found = [...namedWeights({ config: model.config, weights: gradients })];
    const weights = [...namedWeights(model)];
    expect(found.map(([{ name }]) => name)).toEqual(weights.map(([{ name }]) => name));
    const step = 2 ** -8;
    for (const [i, [{ name }, weight]] of weights.entries()) {
      const gradient = found[i]![1];
      expect(gradient.shape).toEqual(weight.shape);
      // Along the gradient itself a loss changes by its squared length.
      const length = tidy(() => gradient.square().sum().sqrt().itemSync());
      const direction = tidy(() => gradient.div(Math.max(length, 1e-6)));
      const moved = (by: number) => {
        const before = tidy(() => weight.add(0));
        weight.copy_(tidy(() => weight.add(direction.mul(by))));
        const changed = lossOf(model).itemSync();
        weight.copy_(before);
        return changed;
      };
      const slope = (moved(step) - moved(-step)) / (2 * step);
      expect(Math.abs(slope - length), `${name}: ${length}, by differences ${slope}`).toBeLessThan(
        2e-3 * Math.max(1, length),
      );
    }
  });

  test("a tied output layer is one storage with one gradient", () => {
    expect(gradients.lmHead).toBe(gradients.wte);
    const used = tidy(() => gradients.wte.abs().sum(1).dataSync());
    expect(used.every((sum) => sum > 0)).toBe(true); // of all tokens: each is a class
  });

  test("of some weights alone are the same numbers, and the others are frozen", () => {
    const { attn } = model.weights.h[1]!;
    const alone = valueAndGrad(attn, () => lossOf(model)).gradients;
    expect(alone.cProj.weight.dataSync()).toEqual(gradients.h[1]!.attn.cProj.weight.dataSync());
  });

  test("memory is given back", () => {
    const before = device.info().usedBytes;
    for (let i = 0; i < 3; i++) tidy(() => void valueAndGrad(model.weights, () => lossOf(model)));
    expect(device.info().usedBytes).toBe(before);
  });
});

test("every operation there and back has a wasm kernel, with the loss that never holds all logits", () => {
  device.fallbacks.clear();
  tidy(() => void valueAndGrad(model.weights, () => losses["targetLogProbs"]!(model)));
  expect(device.fallbacks.entries()).toEqual([]);
});
