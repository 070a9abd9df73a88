import { startObserving } from "@gpt2-ts/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GPT2 } from "../../src/gpt2.ts";
import { SHAKESPEARE } from "../support/models.ts";

const PROMPT = "To be, or not to be, that is the question";
const COMMON = { maxTokens: 10, seed: 3, stopAtEndOfText: false };

let model: GPT2;
beforeAll(async () => {
  model = await GPT2.load(SHAKESPEARE, { threads: 1 });
});
afterAll(() => model.dispose());

/** Its result, and how many rows of logits were normalized to log-probabilities. */
async function counted<Result>(work: () => Promise<Result>): Promise<{ result: Result; rows: number }> {
  let rows = 0;
  const stop = startObserving({
    after({ op, inputs }) {
      if (op.name === "logSoftmax" || op.name === "targetLogProbs") rows += inputs[0]!.shape[0]!;
    },
  });
  try {
    return { result: await work(), rows };
  } finally {
    stop();
  }
}

describe("promptLogprobs: false", () => {
  it.each([{ logprobs: true }, { top: 3 }])(
    "computes none for the prompt, and changes nothing else: %j",
    async (asked) => {
      const all = await counted(() => model.generate(PROMPT, { ...COMMON, ...asked }));
      const less = await counted(() => model.generate(PROMPT, { ...COMMON, ...asked, promptLogprobs: false }));
      expect(all.result.promptLogprobs).toHaveLength(all.result.promptIds.length - 1);
      expect(less.result).toEqual({ ...all.result, promptLogprobs: undefined, promptAlternatives: undefined });
      expect(all.rows).toBe(all.result.promptIds.length - 1 + COMMON.maxTokens);
      expect(less.rows).toBe(COMMON.maxTokens);
    },
  );

  it("is a text's own wish, whoever else has the same prompt", async () => {
    const wishes = [
      { logprobs: true },
      { logprobs: true, promptLogprobs: false },
      { top: 2, promptLogprobs: false },
      { top: 2 },
      {},
      { top: 2 },
    ].map((wish, seed) => ({ ...COMMON, ...wish, seed }));
    const together = await model.generateAll(wishes.map((wish) => ({ prompt: PROMPT, ...wish })));
    for (const [i, wish] of wishes.entries()) expect(together[i]).toEqual(await model.generate(PROMPT, wish));
    expect(together.map(({ promptLogprobs }) => promptLogprobs !== undefined)).toEqual([
      true,
      false,
      false,
      true,
      false,
      true,
    ]);
  });
});
