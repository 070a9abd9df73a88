import { layerNorm } from "@gpt2-ts/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ContextLengthError } from "../../src/errors.ts";
import { GPT2 } from "../../src/gpt2.ts";
import { largestDifference, referenceValues, SHAKESPEARE } from "../support/models.ts";

/** The bound that the model's logits are held to against float64. */
const TOLERANCE = 7e-5;

for (const device of ["reference", "wasm"] as const) {
  describe(`looking inside the Shakespeare model (${device})`, () => {
    let model: GPT2;
    beforeAll(async () => {
      model = await GPT2.load(SHAKESPEARE, { device });
    });
    afterAll(() => model.dispose());

    it("finds the logits that PyTorch computes in float64, at every position of a full context", async () => {
      const { ids, logits: expected } = await referenceValues("B");
      using logits = model.logits(ids);
      expect(logits.shape).toEqual([256, 1024]);
      expect(largestDifference(await logits.data(), expected)).toBeLessThan(TOLERANCE);
    });

    it("shows the residual stream after each block and what the logits are read from", async () => {
      const { blocks, final } = model.hiddenStates("To be, or not to be");
      expect(blocks.map(({ shape }) => shape)).toEqual(Array.from({ length: 4 }, () => [7, 128]));
      const { weight, bias } = model.model.weights.lnF;
      using normalized = layerNorm(blocks[3]!, weight, bias, model.config.layerNormEpsilon);
      expect(await final.data()).toEqual(await normalized.data());
      using logits = final.matmul(model.model.weights.lmHead.transpose());
      using expected = model.logits("To be, or not to be");
      expect(await logits.data()).toEqual(await expected.data());
      expect(await blocks[0]!.data()).not.toEqual(await blocks[1]!.data());
      for (const tensor of [...blocks, final]) tensor.dispose();
    });

    it("shows attention maps: each row shares out one whole over the tokens up to its own", async () => {
      const maps = model.attentionMaps("To be, or not to be");
      expect(maps.map(({ shape }) => shape)).toEqual(Array.from({ length: 4 }, () => [4, 7, 7]));
      for (const map of maps) {
        const values = await map.data();
        for (let row = 0; row < 4 * 7; row++) {
          const shares = values.subarray(row * 7, row * 7 + 7);
          expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
          expect([...shares.subarray((row % 7) + 1)].every((share) => share === 0)).toBe(true);
          expect([...shares].every((share) => share >= 0)).toBe(true);
        }
        map.dispose();
      }
    });

    it("refuses a text that is longer than the context", () => {
      expect(() => model.logits(new Array(257).fill(1))).toThrow(ContextLengthError);
    });
  });
}
