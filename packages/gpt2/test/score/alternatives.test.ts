import { createWasmBackend, fromData } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { GPT2 } from "../../src/gpt2.ts";
import { scoreTokens } from "../../src/score/tokens.ts";
import { randomModel, SHAKESPEARE } from "../support/models.ts";

const TEXTS = ["To be, or not to be, that is the question", "ROMEO:\nO, she doth teach", "x", ""];

for (const device of ["wasm", "reference"] as const) {
  describe(`the likeliest tokens of a score (${device})`, () => {
    const texts = device === "wasm" ? TEXTS : TEXTS.slice(2).concat("To be");
    let model: GPT2;
    beforeAll(async () => {
      model = await GPT2.load(SHAKESPEARE, { device });
    });
    afterAll(() => model.dispose());

    it("are those of the logits' softmax, in order, and change nothing else by a bit", async () => {
      const plain = await model.scoreAll(texts);
      const scores = await model.scoreAll(texts, { top: 4 });
      for (const [i, { alternatives, ...score }] of scores.entries()) {
        expect(score).toEqual(plain[i]);
        expect(alternatives).toHaveLength(score.logprobs.length);
        if (score.ids.length < 2) continue;
        using logits = model.logits(score.ids);
        using all = logits.logSoftmax(-1);
        const rows = await all.data();
        for (const [place, row] of alternatives!.entries()) {
          const logprobs = rows.subarray(place * 1024, (place + 1) * 1024);
          const order = Array.from(logprobs.keys()).sort((a, b) => logprobs[b]! - logprobs[a]! || a - b);
          expect(row.map(({ id }) => id)).toEqual(order.slice(0, 4));
          expect(row.map(({ logprob }) => logprob)).toEqual(order.slice(0, 4).map((id) => logprobs[id]!));
          expect(row.map(({ token }) => token)).toEqual(model.tokenizer.tokens(order.slice(0, 4)));
        }
      }
    });

    it("hold the text's own token with the same number where it is the likeliest", async () => {
      const { text } = await model.generate("To be", { greedy: true, maxTokens: device === "wasm" ? 40 : 8 });
      const score = await model.score(`To be${text}`, { top: 1 });
      const same = score.alternatives!.filter(([best], i) => {
        if (best!.id !== score.ids[i + 1]) return best!.logprob < score.logprobs[i]!; // never
        expect(best!.logprob).toBe(score.logprobs[i]);
        return true;
      });
      expect(same.length).toBeGreaterThan(5);
    });
  });
}

describe("the likeliest tokens", () => {
  const shape = { nLayer: 1, nHead: 2, nEmbd: 16, nPositions: 32, vocabSize: 50 };

  it("do not depend on packing, stride or the number that is asked for", async () => {
    const model = randomModel("wasm", shape);
    const texts = fc.array(fc.array(fc.nat(49), { maxLength: 60 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        texts,
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 90 }),
        async (all, top, size) => {
          const packed = await scoreTokens(model, all, { stride: 16, top, tokensPerPass: size });
          for (const [i, ids] of all.entries()) {
            const [alone] = await scoreTokens(model, [ids], { stride: 16, top: 50 });
            const { targets, top: best } = packed[i]!;
            expect(targets).toEqual(alone!.targets);
            expect(best.count).toBe(Math.min(top, 50));
            for (let row = 0; row < targets.length; row++) {
              const [from, count] = [row * best.count, best.count];
              expect(best.ids.slice(from, from + count)).toEqual(alone!.top.ids.slice(row * 50, row * 50 + count));
              expect(best.logprobs.slice(from, from + count)).toEqual(
                alone!.top.logprobs.slice(row * 50, row * 50 + count),
              );
            }
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it("leave out ids that the tokenizer has no token for, whose probability still counts", async () => {
    using shipped = await GPT2.load(SHAKESPEARE, { device: "reference" });
    const model = randomModel("reference", { ...shape, vocabSize: 1030 });
    const padded = new GPT2(model, shipped.tokenizer);
    const ids = [1, 2, 3, 4, 5];
    const [all] = await scoreTokens(model, [ids], { top: 1030 });
    const { alternatives, logprobs } = await padded.score(ids, { top: 2000 });
    expect(logprobs).toEqual(Array.from(all!.targets));
    for (const [place, row] of alternatives!.entries()) {
      const known = Array.from(all!.top.ids.slice(place * 1030, (place + 1) * 1030)).filter((id) => id < 1024);
      expect(row.map(({ id }) => id)).toEqual(known);
    }
    const generated = await padded.generate(ids, { top: 2000, maxTokens: 3, seed: 1 });
    for (const row of [...generated.promptAlternatives!, ...generated.alternatives!]) expect(row.length).toBe(1024);
  });

  it("take little memory with a large vocabulary", async () => {
    const backend = createWasmBackend({ threads: 1 });
    const large = randomModel(backend, { nLayer: 1, nHead: 1, nEmbd: 8, nPositions: 512, vocabSize: 50_257 });
    fromData([1], [1], { device: backend }).dispose();
    const { memory } = backend.runtime;
    const before = memory.used;
    let most = 0;
    const allocate = memory.allocate.bind(memory);
    vi.spyOn(memory, "allocate").mockImplementation((bytes) => {
      const block = allocate(bytes);
      most = Math.max(most, memory.used - before);
      return block;
    });
    const ids = Array.from({ length: 512 }, (_, i) => i);
    const [scores] = await scoreTokens(large, [ids], { top: 5 });
    expect(scores!.top.ids.length).toBe(5 * 511);
    expect(most).toBeLessThan(48 * 2 ** 20); // 206 MB for all logits and their logarithms
    expect(memory.used).toBe(before);
    backend.dispose();
  });
});
