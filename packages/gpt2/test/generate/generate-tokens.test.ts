import { createWasmBackend } from "@gpt2-ts/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ContextLengthError, TokenIdError } from "../../src/errors.ts";
import type { SequenceOptions } from "../../src/generate/sequence.ts";
import { GPT2 } from "../../src/gpt2.ts";
import { allLogits } from "../../src/model/inspect.ts";
import type { Model } from "../../src/model/model.ts";
import { scoreTokens } from "../../src/score/tokens.ts";
import { largestDifference, randomModel, referenceValues, SHAKESPEARE } from "../support/models.ts";
import { generatedAlone } from "../support/tokens.ts";

const collect = (model: Model, prompt: readonly number[], options: Omit<SequenceOptions, "prompt">) =>
  generatedAlone(model, { ...options, prompt });

for (const device of ["reference", "wasm"] as const) {
  describe(`generating tokens with the Shakespeare model (${device})`, () => {
    const maxTokens = device === "reference" ? 12 : 40;
    let gpt2: GPT2;
    let prompt: readonly number[];
    beforeAll(async () => {
      gpt2 = await GPT2.load(SHAKESPEARE, { device });
      prompt = (await referenceValues("A")).ids;
    });
    afterAll(() => gpt2.dispose());

    it("chooses greedily what a single pass over prompt and output finds likeliest at every step", async () => {
      const { ids, reason } = await collect(gpt2.model, prompt, { greedy: true, maxTokens, seed: 0 });
      expect(reason).toBe("length");
      expect(ids.length).toBe(maxTokens);
      using logits = allLogits(gpt2.model, [...prompt, ...ids]);
      const best = await logits.argMax(-1).data();
      expect(Array.from(best.subarray(prompt.length - 1, -1))).toEqual(ids);
    });

    it("tells the log-probabilities of prompt and output that scoring the whole finds", async () => {
      const options = { temperature: 1.3, topK: 50, maxTokens, seed: 3, logprobs: true };
      const { ids, tokens, prompt: read } = await collect(gpt2.model, prompt, options);
      const [whole] = await scoreTokens(gpt2.model, [[...prompt, ...ids]]);
      expect(read!.targets).toHaveLength(prompt.length - 1);
      const told = [...read!.targets, ...tokens.map(({ logprobs }) => logprobs!.targets[0]!)];
      expect(largestDifference(told, whole!.targets)).toBeLessThan(2e-5);
    });
  });
}

describe("generating tokens", () => {
  const promptOf = (length: number): number[] => Array.from({ length }, (_, i) => (i * i + 3 * i) % 50);
  const shape = { nLayer: 2, nHead: 2, nEmbd: 16, nPositions: 700, vocabSize: 50 };

  it("ends when prompt and output fill the context", async () => {
    const model = randomModel("reference", { ...shape, nPositions: 20 });
    const { ids, reason } = await collect(model, promptOf(14), { seed: 1 });
    expect(ids.length).toBe(6);
    expect(reason).toBe("context");
  });

  it("says length when the last position and the last token allowed coincide", async () => {
    const model = randomModel("reference", { ...shape, nPositions: 20 });
    expect((await collect(model, promptOf(14), { seed: 1, maxTokens: 6 })).reason).toBe("length");
  });

  it("refuses a prompt that leaves no room for a token", async () => {
    const model = randomModel("reference", { ...shape, nPositions: 20 });
    const refused = collect(model, promptOf(20), { seed: 1 });
    await expect(refused).rejects.toThrow(ContextLengthError);
    await expect(refused).rejects.toMatchObject({ length: 21, limit: 20 });
  });

  it("refuses ids outside the vocabulary, naming id and place", async () => {
    const refused = collect(randomModel("reference", shape), [1, 50], { seed: 1 });
    await expect(refused).rejects.toThrow(TokenIdError);
    await expect(refused).rejects.toMatchObject({ id: 50, index: 1 });
  });

  it("ends at the end token, which is not handed out", async () => {
    const model = randomModel("reference", shape);
    const free = await collect(model, [1], { maxTokens: 30, seed: 0 });
    const endToken = free.ids[20]!;
    const { ids, reason } = await collect(model, [1], { maxTokens: 30, seed: 0, endTokens: [endToken, 49] });
    expect(ids).toEqual(
      free.ids.slice(
        0,
        free.ids.findIndex((id) => id === endToken || id === 49),
      ),
    );
    expect(reason).toBe("eos");
  });

  it("reads a prompt of several passes as a single pass would", async () => {
    const model = randomModel("reference", shape);
    const prompt = promptOf(600);
    const options = { greedy: true, maxTokens: 1, seed: 0, logprobs: true };
    const { ids, tokens, prompt: read } = await collect(model, prompt, options);
    const [whole] = await scoreTokens(model, [[...prompt, ...ids]]);
    const told = [...read!.targets, tokens[0]!.logprobs!.targets[0]!];
    expect(largestDifference(told, whole!.targets)).toBeLessThan(1e-5);
    using logits = allLogits(model, prompt);
    const best = await logits.argMax(-1).data();
    expect(ids[0]).toBe(best[599]);
  });

  it("gives the same tokens and log-probabilities for 1 and 2 threads", async () => {
    const results = [];
    for (const threads of [1, 2]) {
      using model = await GPT2.load(SHAKESPEARE, { threads, deterministic: true });
      results.push(await collect(model.model, [10, 20, 30], { seed: 9, maxTokens: 60, logprobs: true }));
    }
    expect(results[0]).toEqual(results[1]);
  });

  it("uses no more memory after 800 tokens than after 100, and gives all of it back", async () => {
    const backend = createWasmBackend({ threads: 1 });
    const model = randomModel(backend, { ...shape, nPositions: 900 });
    const before = backend.info().usedBytes;
    const options = { prompt: [1, 2, 3], seed: 1, maxTokens: 800, repetitionPenalty: 1.1, topK: 5 };
    const used: number[] = [];
    await generatedAlone(model, options, () => used.push(backend.info().usedBytes));
    expect(used.length).toBe(800);
    expect(used[798]).toBe(used[100]);
    expect(used[799]).toBe(before);
    backend.dispose();
  });
});
