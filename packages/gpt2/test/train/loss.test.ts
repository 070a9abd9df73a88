import { createWasmBackend, Generator, randn, type Tensor, tidy, valueAndGrad, zeros } from "@gpt2-ts/tensor";
import { afterAll, describe, expect, it } from "vitest";
import { lossOf, trainingBatch } from "../../src/train/index.ts";
import { randomModel } from "../support/models.ts";

const device = createWasmBackend({ threads: 1, deterministic: true });
afterAll(() => device.dispose());
const model = randomModel(device, { nLayer: 1, nHead: 2, nEmbd: 8, nPositions: 6, vocabSize: 11 });

describe("the loss", () => {
  it("is the mean over all targets, however they are packed", async () => {
    const [first, second] = [
      [1, 2, 3, 4, 5],
      [9, 0, 10],
    ];
    const sum = async (sequences: number[][]): Promise<number> => {
      using batch = trainingBatch(model, sequences);
      using loss = lossOf(model, batch, 1);
      return loss.item();
    };
    using both = trainingBatch(model, [first!, second!]);
    using mean = lossOf(model, both);
    expect(await mean.item()).toBeCloseTo(((await sum([first!])) + (await sum([second!]))) / 6, 5);
  });

  it("refuses what the model cannot read", () => {
    expect(() => trainingBatch(model, [[1, 2, 11, 3]])).toThrow("token id 11");
    expect(() => trainingBatch(model, [[1, 2, 3, 4, 5, 6, 7, 8]])).toThrow("7 tokens do not fit into the context of 6");
  });

  it("has gradients by weights that are computed, as LoRA's are, without a change of the model", () => {
    const [block] = model.weights.h;
    const { weight } = block!.attn.cAttn;
    using batch = trainingBatch(model, [[1, 2, 3, 4, 5]]);
    const seed = new Generator(1);
    const adapters = { a: randn([8, 2], { seed, device }), b: zeros([2, 24], { device }) };
    const adapted = () => {
      const cAttn = {
        ...block!.attn.cAttn,
        weight: (weight as Tensor).add(adapters.a.matmul(adapters.b)) as typeof weight,
      };
      const h = [{ ...block!, attn: { ...block!.attn, cAttn } }];
      return lossOf({ ...model, weights: { ...model.weights, h } }, batch);
    };
    const { value, gradients } = valueAndGrad(adapters, adapted);
    expect(value.dataSync()).toEqual(tidy(() => lossOf(model, batch)).dataSync());
    const full = valueAndGrad({ weight }, () => lossOf(model, batch)).gradients.weight;
    const expected = tidy(() => adapters.a.transpose().matmul(full as Tensor<[8, 24]>)).dataSync();
    for (const [i, slope] of gradients.b.dataSync().entries()) expect(slope).toBeCloseTo(expected[i]!, 5);
    expect(expected.some((slope) => Math.abs(slope) > 1e-3)).toBe(true);
  });
});
