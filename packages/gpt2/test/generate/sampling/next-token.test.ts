import { createWasmBackend, device, dim, fromData, Generator } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { drawNext, nextTokenOf } from "../../../src/generate/next-token.ts";
import { draw, nextToken, type SamplingOptions } from "../../../src/generate/sampling.ts";

const wasm = createWasmBackend({ threads: 1 });
afterAll(() => wasm.dispose());
afterEach(() => vi.restoreAllMocks());

// Few different logits, so that many are equal.
const logit = fc.oneof(
  fc.constantFrom(0, -0, 1, 2.5, -3, Number.NEGATIVE_INFINITY),
  fc.double({ min: -40, max: 40, noNaN: true }).map(Math.fround),
);
const row = fc.array(logit, { minLength: 1, maxLength: 80 }).map((values) => Float32Array.from(values));
const options: fc.Arbitrary<SamplingOptions> = fc.oneof(
  fc.record({ greedy: fc.constant(true), repetitionPenalty: fc.constantFrom(1, 1.5) }, { requiredKeys: ["greedy"] }),
  fc.record(
    {
      temperature: fc.oneof(fc.constant(0), fc.double({ min: 0.05, max: 5, noNaN: true })),
      topK: fc.integer({ min: 1, max: 90 }),
      topP: fc.double({ min: 0.001, max: 1, noNaN: true }),
      minP: fc.double({ min: 0, max: 1, noNaN: true }),
      noRepeatNgramSize: fc.constant(1),
      logitBias: fc.constant({ 0: 2 }),
    },
    { requiredKeys: ["topK"] },
  ),
);

for (const backend of [device("reference"), wasm]) {
  /** The distribution from a row on the device. */
  async function onDevice(logits: Float32Array, chosen: SamplingOptions, never: readonly number[] = []) {
    using tensor = fromData(logits, [1, dim("V", logits.length)], { device: backend });
    const text = { ids: [0], promptLength: 1 };
    return await nextTokenOf({ logits: tensor, never: Int32Array.from(never), options: chosen, text });
  }

  describe(`the next token from logits on ${backend.name}`, () => {
    it("has the distribution that all logits give, to the bit", async () => {
      await fc.assert(
        fc.asyncProperty(row, options, fc.array(fc.nat(79), { maxLength: 3 }), async (logits, chosen, ruledOut) => {
          const never = ruledOut.filter((id) => id < logits.length);
          const possible = logits.map((value, id) => (never.includes(id) ? Number.NEGATIVE_INFINITY : value));
          let expected: unknown;
          try {
            expected = nextToken(possible, chosen, [0], 1);
          } catch (error) {
            await expect(onDevice(logits, chosen, never)).rejects.toEqual(error);
            return;
          }
          expect(await onDevice(logits, chosen, never)).toEqual(expected);
        }),
        { numRuns: 300 },
      );
    });

    it("is drawn as from all logits, and takes as many random numbers", async () => {
      const chosen = fc.oneof(fc.record({ temperature: fc.double({ min: 0.05, max: 5, noNaN: true }) }), options);
      await fc.assert(
        fc.asyncProperty(row, chosen, fc.nat(), async (logits, chosen, seed) => {
          using tensor = fromData(logits, [1, dim("V", logits.length)], { device: backend });
          const [ours, theirs] = [new Generator(seed), new Generator(seed)];
          const text = { ids: [0], promptLength: 1 };
          const drawn = drawNext({ logits: tensor, never: new Int32Array(), options: chosen, text }, ours);
          let expected: number;
          try {
            expected = draw(nextToken(logits, chosen, [0], 1), theirs);
          } catch (error) {
            await expect(drawn).rejects.toEqual(error);
            return;
          }
          expect(await drawn).toBe(expected);
          expect(ours.uniform()).toBe(theirs.uniform());
        }),
        { numRuns: 300 },
      );
    });

    it("is read from a few logits where they decide on it", async () => {
      const read = vi.spyOn(backend, "read");
      const logits = Float32Array.from({ length: 5000 }, (_, id) => Math.fround(Math.sin(id)));
      await onDevice(logits, { greedy: true });
      await onDevice(logits, { topK: 40, topP: 0.9 }, [4]);
      expect(read.mock.calls.length).toBeGreaterThan(0);
      expect(Math.max(...read.mock.calls.map(([storage]) => storage.length))).toBe(41);
    });

    it("names the first token whose logit is NaN", async () => {
      const logits = Float32Array.of(1, 2, Number.NaN, 3, Number.NaN);
      for (const chosen of [{ greedy: true }, { topK: 2 }]) {
        await expect(onDevice(logits, chosen)).rejects.toThrow("the logit of token 2 is NaN");
        await expect(onDevice(logits, chosen, [2])).rejects.toThrow("the logit of token 4 is NaN");
        expect((await onDevice(logits, chosen, [2, 4])).ids).toContain(3);
      }
    });
  });
}
