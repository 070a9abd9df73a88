import { createWasmBackend, OptionError } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ContextLengthError, TokenIdError } from "../../src/errors.ts";
import { GPT2 } from "../../src/gpt2.ts";
import type { Model } from "../../src/model/model.ts";
import { type ScoreOptions, scoreTokens } from "../../src/score/tokens.ts";
import { largestDifference, randomModel, referenceValues, SHAKESPEARE } from "../support/models.ts";

/** The bound that the model's logits are held to against float64. */
const TOLERANCE = 7e-5;

for (const device of ["reference", "wasm"] as const) {
  describe(`the Shakespeare model's scores (${device})`, () => {
    let model: GPT2;
    beforeAll(async () => {
      model = await GPT2.load(SHAKESPEARE, { device });
    });
    afterAll(() => model.dispose());

    it.each([
      ["A", -144.46062],
      ["B", -678.01081],
    ] as const)("of prompt %s equal PyTorch's in float64, which add up to %d nats", async (prompt, sum) => {
      const { ids, logprobs } = await referenceValues(prompt);
      const score = await model.score(ids);
      expect(largestDifference(score.logprobs, logprobs)).toBeLessThan(TOLERANCE);
      expect(Math.abs(score.logLikelihood - sum)).toBeLessThan(1e-3);
      expect(score.ids).toEqual(ids);
    });
  });
}

describe("scores of texts", () => {
  let model: GPT2;
  beforeAll(async () => {
    model = await GPT2.load(SHAKESPEARE);
  });
  afterAll(() => model.dispose());

  it("come with their summary: sum, perplexity, and bits per byte of the tokens after the first", async () => {
    const text = "Thou art naïve, 漢 said he";
    const score = await model.score(text);
    expect(score.ids).toEqual(model.tokenizer.encode(text));
    expect(score.tokens).toEqual(model.tokenizer.tokens(score.ids));
    expect(score.logprobs).toHaveLength(score.ids.length - 1);
    const sum = score.logprobs.reduce((total, value) => total + value, 0);
    expect(score.logLikelihood).toBe(sum);
    expect(score.perplexity).toBeCloseTo(Math.exp(-sum / score.logprobs.length), 8);
    const bytes = new TextEncoder().encode(text).length - model.tokenizer.decodeBytes([score.ids[0]!]).length;
    expect(score.bitsPerByte).toBeCloseTo(-sum / Math.log(2) / bytes, 12);
  });

  it("have nothing to say about texts of fewer than two tokens: log-likelihood 0, and no mean", async () => {
    for (const text of ["", "a", []]) {
      const score = await model.score(text);
      expect(score).toMatchObject({ logprobs: [], logLikelihood: 0, perplexity: Number.NaN, bitsPerByte: Number.NaN });
    }
  });

  it("find the words of the plays likelier than noise", async () => {
    const [verse, noise] = await model.scoreAll(["What, wilt thou not be gone?", "xq zvkj wqx jjz, kfx qqpz?"]);
    expect(verse!.bitsPerByte).toBeLessThan(noise!.bitsPerByte / 2);
  });

  it("come in the order of the texts, equal to the bit to those of each text alone", async () => {
    const text = fc.string({ unit: fc.constantFrom("a", "e ", "th", "\n", "ROMEO", "é"), maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { maxLength: 8 }),
        fc.integer({ min: 1, max: 200 }),
        async (texts, tokensPerPass) => {
          const together = await model.scoreAll(texts, { tokensPerPass });
          const alone = [];
          for (const one of texts) alone.push(await model.score(one));
          expect(together).toEqual(alone);
        },
      ),
      { numRuns: 12 },
    );
  });
});

describe("scoring tokens", () => {
  const shape = { nLayer: 2, nHead: 2, nEmbd: 16, nPositions: 32, vocabSize: 50 };
  let model: Model;
  beforeAll(() => {
    model = randomModel("reference", shape);
  });
  const sequence = (length: number, salt = 1): number[] =>
    Array.from({ length }, (_, i) => (i * i * salt + 3 * i) % 50);

  it("slides a window over what is longer than the context, as Hugging Face's guide does", async () => {
    const lengths = fc.integer({ min: 33, max: 120 });
    await fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 1, max: 31 }), async (length, stride) => {
        const ids = sequence(length);
        const [scores] = await scoreTokens(model, [ids], { stride });
        // https://huggingface.co/docs/transformers/perplexity, with one forward pass a window
        const expected: number[] = [];
        let previousEnd = 0;
        for (let begin = 0; begin < length; begin += stride) {
          const end = Math.min(begin + shape.nPositions, length);
          const targets = end - previousEnd;
          const [window] = await scoreTokens(model, [ids.slice(begin, end)]);
          expected.push(...window!.targets.slice(-targets));
          previousEnd = end;
          if (end === length) break;
        }
        expect(Array.from(scores!.targets)).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });

  it("scores what fits whole, stride or not", async () => {
    const ids = sequence(32);
    expect(await scoreTokens(model, [ids], { stride: 5 })).toEqual(await scoreTokens(model, [ids]));
  });

  it("refuses what is longer than the context unless a stride is given", async () => {
    const refused = scoreTokens(model, [[1, 2], sequence(33)]);
    await expect(refused).rejects.toThrow(ContextLengthError);
    await expect(refused).rejects.toMatchObject({ length: 33, limit: 32 });
  });

  it("refuses ids outside the vocabulary", async () => {
    await expect(scoreTokens(model, [[1, -1]])).rejects.toThrow(TokenIdError);
  });

  it("reports how many sequences are complete, up to all of them", async () => {
    const seen: number[] = [];
    const sequences = [sequence(20), sequence(70), [], sequence(10), [3]];
    await scoreTokens(model, sequences, {
      stride: 16,
      tokensPerPass: 40,
      onProgress: ({ scored, total }) => {
        expect(total).toBe(5);
        seen.push(scored);
      },
    });
    expect(seen.at(-1)).toBe(5);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen[0]).toBe(1);
  });

  it("throws the signal's reason when aborted, before or between passes", async () => {
    const reason = new Error("enough");
    await expect(scoreTokens(model, [[1, 2]], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const options: ScoreOptions = {
      tokensPerPass: 10,
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    };
    await expect(scoreTokens(model, [sequence(10), sequence(10)], options)).rejects.toBe(reason);
  });

  it("gives all its memory back", async () => {
    const backend = createWasmBackend({ threads: 1 });
    const own = randomModel(backend, shape);
    const before = backend.info().usedBytes;
    await scoreTokens(own, [sequence(32), sequence(90), sequence(5)], { stride: 10 });
    await expect(scoreTokens(own, [[1, 99]])).rejects.toThrow(TokenIdError);
    expect(backend.info().usedBytes).toBe(before);
    backend.dispose();
  });

  it("takes no memory for the logits of all tokens of a large vocabulary", async () => {
    const backend = createWasmBackend({ threads: 1 });
    const large = randomModel(backend, { nLayer: 1, nHead: 1, nEmbd: 8, nPositions: 1024, vocabSize: 50_257 });
    const { memory } = backend.runtime;
    const before = memory.used;
    let most = 0;
    const allocate = memory.allocate.bind(memory);
    vi.spyOn(memory, "allocate").mockImplementation((bytes) => {
      const block = allocate(bytes);
      most = Math.max(most, memory.used - before);
      return block;
    });
    const [scores] = await scoreTokens(large, [sequence(1024)]);
    expect(scores!.targets.every((logprob) => logprob < 0)).toBe(true);
    expect(most).toBeLessThan(24 * 2 ** 20); // 206 MB for all of them
    backend.dispose();
  });

  it("refuses options that do not exist or are out of range", async () => {
    for (const options of [{ stride: 0 }, { stride: 32 }, { tokensPerPass: 0 }, { top: 0 }, { batchSize: 8 }]) {
      await expect(scoreTokens(model, [[1, 2]], options as ScoreOptions)).rejects.toThrow(OptionError);
    }
  });
});
