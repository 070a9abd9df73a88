import { OptionError } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ContextLengthError, TokenIdError } from "../../src/errors.ts";
import { Context } from "../../src/generate/context.ts";
import { GPT2 } from "../../src/gpt2.ts";
import { largestDifference, randomModel, SHAKESPEARE } from "../support/models.ts";

const shape = { nLayer: 2, nHead: 2, nEmbd: 16, nPositions: 32, vocabSize: 50 };

describe("a context", () => {
  it("gives the logits after what was appended, in one piece or several", async () => {
    const model = randomModel("reference", shape);
    const id = fc.integer({ min: 0, max: 49 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(id, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 }),
        async (pieces) => {
          using whole = new Context(model);
          using grown = new Context(model);
          const expected = await whole.append(pieces.flat());
          let logits: Float32Array = new Float32Array();
          for (const piece of pieces) logits = await grown.append(piece);
          expect(largestDifference(logits, expected)).toBeLessThan(1e-4);
          expect(grown.ids).toEqual(pieces.flat());
        },
      ),
      { numRuns: 20 },
    );
  });

  it("forgets what is truncated", async () => {
    const model = randomModel("reference", shape);
    using context = new Context(model);
    await context.append([1, 2, 3]);
    const before = await context.append([4]);
    context.truncate(3);
    expect(context.ids).toEqual([1, 2, 3]);
    await context.append([9]);
    context.truncate(3);
    expect(await context.append([4])).toEqual(before);
  });

  it("stays as it was when an append fails or is aborted", async () => {
    const model = randomModel("reference", shape);
    using context = new Context(model, { capacity: 4 });
    await context.append([1, 2, 3]);
    await expect(context.append([50])).rejects.toThrow(TokenIdError);
    await expect(context.append([1, 2])).rejects.toThrow(ContextLengthError);
    await expect(context.append([])).rejects.toThrow(RangeError);
    const reason = new Error("enough");
    await expect(context.append([1], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(context.branch([[1]], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(context.branch([[1]], { logprob: true } as object)).rejects.toThrow(OptionError);
    expect(context.length).toBe(3);
    using fresh = new Context(model);
    await fresh.append([1, 2, 3]);
    expect(await context.append([4])).toEqual(await fresh.append([4]));
  });

  it("refuses a capacity that the model's positions do not allow", () => {
    const model = randomModel("reference", shape);
    expect(() => new Context(model, { capacity: 33 })).toThrow(OptionError);
    expect(() => new Context(model, { capacity: 0 })).toThrow(OptionError);
  });
});

for (const device of ["reference", "wasm"] as const) {
  describe(`branches of a context (${device})`, () => {
    let model: GPT2;
    beforeAll(async () => {
      model = await GPT2.load(SHAKESPEARE, { device });
    });
    afterAll(() => model.dispose());

    it("equal to the bit what each continuation alone gives, and leave the context as it is", async () => {
      const prefix = model.tokenizer.encode("To be, or not to");
      const continuations = [" be", " sleep", " be that", ":"].map((text) => model.tokenizer.encode(text));
      using context = model.context();
      await context.append(prefix);
      const together = await context.branch(continuations);
      expect(together.map((logits) => logits.length)).toEqual([1024, 1024, 1024, 1024]);
      for (const [i, continuation] of continuations.entries()) {
        const [alone] = await context.branch([continuation]);
        expect(together[i]).toEqual(alone);
        const kept = await context.append(continuation);
        expect(largestDifference(kept, alone!)).toBeLessThan(2e-5);
        context.truncate(prefix.length);
      }
      expect(context.ids).toEqual(prefix);
    });

    it("tell log-probabilities if asked for: those that the continuations have when they are scored", async () => {
      const { tokenizer } = model;
      const prefix = tokenizer.encode("To be, or not to");
      using context = model.context();
      await context.append(prefix);
      const candidates = [" be", " sleep", ":"].map((text) => tokenizer.encode(text)[0]!);
      const told = await context.branch(
        candidates.map((id) => [id]),
        { logprobs: true },
      );
      const next = tokenizer.encode(",")[0]!;
      for (const [i, id] of candidates.entries()) {
        const { logprobs } = await model.score([...prefix, id, next]);
        expect(told[i]![next]).toBeCloseTo(logprobs.at(-1)!, 4);
        expect(told[i]!.reduce((sum, logprob) => sum + Math.exp(logprob), 0)).toBeCloseTo(1, 4);
      }
    });
  });
}
