import { ContextLengthError, GPT2, OptionError } from "@gpt2-ts/gpt2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SampleOptions, sample, sampleTokens } from "../src/sample.ts";
import { chiSquareP, upperTail } from "./support/chi-square.ts";
import { SHAKESPEARE } from "./support/models.ts";
import { ToyModel } from "./support/toy-model.ts";

/** What a sequence of draws from a toy model would be distributed like, from the joint distribution of all its tokens. */
function exactDistribution(
  toy: ToyModel,
  prefix: readonly number[],
  length: number,
  { temperature, topK, horizon }: { temperature: number; topK: number; horizon: number },
): Map<string, number> {
  const top = (ids: readonly number[]): number[] => {
    const p = toy.probabilities(ids);
    return [...p.keys()].sort((a, b) => p[b]! - p[a]!).slice(0, topK);
  };
  let sequences: [ids: readonly number[], probability: number][] = [[[], 1]];
  for (let i = 0; i < length; i++) {
    sequences = sequences.flatMap(([ids, probability]) => {
      const here = [...prefix, ...ids];
      const joint = toy.joint(here, horizon);
      const weights = top(here).map((id): [number, number] => {
        const all = horizon === 1 ? [`${id}`] : top([...here, id]).map((next) => `${id},${next}`);
        return [id, all.reduce((sum, pair) => sum + joint.get(pair)! ** (1 / temperature), 0)];
      });
      const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
      return weights.map(([id, weight]): [number[], number] => [[...ids, id], (probability * weight) / total]);
    });
  }
  return new Map(sequences.map(([ids, probability]) => [ids.join(), probability]));
}

/** How often each sequence comes, of draws with the seeds 0, 1, 2, … */
async function frequencies(
  toy: ToyModel,
  prefix: readonly number[],
  draws: number,
  options: Omit<SampleOptions, "seed">,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < draws; seed++) {
    const { ids } = await sampleTokens(toy.context(), prefix, { ...options, seed });
    counts.set(ids.join(), (counts.get(ids.join()) ?? 0) + 1);
  }
  return counts;
}

describe("a toy model whose joint distribution can be enumerated", { timeout: 300_000 }, () => {
  const DRAWS = 20_000; // golden.test.ts draws more, from distributions that another program computed
  const toy = new ToyModel(4, 20190929);
  const prefix = [2];

  function pOf(counts: Map<string, number>, exact: Map<string, number>): number {
    for (const sequence of counts.keys()) expect(exact.has(sequence), `${sequence} cannot come`).toBe(true);
    const sequences = [...exact.keys()];
    return chiSquareP(
      sequences.map((sequence) => counts.get(sequence) ?? 0),
      sequences.map((sequence) => DRAWS * exact.get(sequence)!),
    );
  }

  it.each([
    { horizon: 1, temperature: 1, topK: 4 },
    { horizon: 1, temperature: 0.6, topK: 3 },
    { horizon: 2, temperature: 0.95, topK: 4 },
    { horizon: 2, temperature: 0.6, topK: 3 },
  ] as const)(
    "is sampled with its exact frequencies: $horizon tokens, T = $temperature, top $topK",
    async (options) => {
      const exact = exactDistribution(toy, prefix, 2, options);
      const counts = await frequencies(toy, prefix, DRAWS, { ...options, length: 2 });
      expect(pOf(counts, exact)).toBeGreaterThan(0.01);
    },
  );

  it("shows by the same test that a horizon of one token is not one of two", async () => {
    const options = { temperature: 0.6, topK: 4 };
    const counts = await frequencies(toy, prefix, DRAWS, { ...options, horizon: 1, length: 2 });
    expect(pOf(counts, exactDistribution(toy, prefix, 2, { ...options, horizon: 2 }))).toBeLessThan(1e-9);
  });

  it("is asked for all candidates of a step at once", async () => {
    const context = toy.context();
    await sampleTokens(context, prefix, { length: 5, topK: 3, horizon: 2, seed: 1 });
    expect(context.branched).toEqual([3, 3, 3, 3, 3]);
  });

  // mpmath.gammainc(degrees / 2, x / 2, regularized=True)
  it.each([
    [6.63, 1, 0.0100275265],
    [9.21, 2, 0.010001702],
    [20, 15, 0.1719326894],
    [90, 63, 0.0144145448],
  ])("is tested with the right tail of chi-square (%d, %d degrees)", (x, degrees, expected) => {
    expect(upperTail(x, degrees)).toBeCloseTo(expected, 7);
  });
});

describe("a sample of the Shakespeare model", () => {
  let model: GPT2;
  beforeAll(async () => {
    model = await GPT2.load(SHAKESPEARE);
  });
  afterAll(() => model.dispose());
  const prompt = "To be, or not to be";

  it("is what the library generates with the same seed", async () => {
    const options = { topK: 40, temperature: 0.9, seed: 5 };
    const { continuation, ids, finishReason } = await sample(model, prompt, { ...options, length: 60 });
    const expected = await model.generate(prompt, { ...options, maxTokens: 60, stopAtEndOfText: false });
    expect({ continuation, ids, finishReason }).toEqual({
      continuation: expected.text,
      ids: expected.ids,
      finishReason: expected.finishReason,
    });
  });

  it.each([1, 2] as const)("is the same for the same seed, on one thread and on two (horizon %i)", async (horizon) => {
    const options = { length: 20, temperature: 0.95, horizon };
    const expected = await sample(model, prompt, { ...options, seed: 3 });
    expect((await sample(model, prompt, { ...options, seed: 4 })).ids).not.toEqual(expected.ids);
    for (const threads of [1, 2]) {
      using other = await GPT2.load(SHAKESPEARE, { threads });
      expect(await sample(other, prompt, { ...options, seed: 3 })).toEqual(expected);
    }
  });

  it.each([1, 2] as const)("never has an id without a token, of a padded vocabulary (horizon %i)", async (horizon) => {
    const folder = new URL("../../gpt2/test/checkpoint/fixtures/finetune/", import.meta.url);
    using padded = await GPT2.load(folder, { device: "reference", onWarning: () => {} });
    expect(padded.tokenizer.vocabSize).toBe(325);
    const options = { length: 30, temperature: 50, topK: 384, horizon, seed: 1 };
    const { ids, continuation } = await sample(padded, "a", options);
    expect(Math.max(...ids)).toBeLessThan(325);
    expect(new Set(ids).size).toBeGreaterThan(20);
    expect(continuation).toBe(padded.tokenizer.decode(ids));
  });

  it.each([1, 2] as const)("ends where the context is full (horizon %i)", async (horizon) => {
    const beginning = "to be ".repeat(120);
    const promptTokens = model.tokenizer.encode(beginning).length;
    expect(promptTokens).toBeGreaterThan(220);
    const counts: number[] = [];
    const options: SampleOptions = { length: 512, horizon, topK: 5, seed: 1, onToken: (count) => counts.push(count) };
    const { ids, finishReason } = await sample(model, beginning, options);
    expect(finishReason).toBe("context");
    expect(promptTokens + ids.length).toBe(model.config.nPositions);
    expect(counts).toEqual(ids.map((_, i) => i + 1));
  });

  it("needs a prompt of at least one token, with room behind it", async () => {
    await expect(sample(model, "", { length: 1, seed: 1 })).rejects.toThrow("prompt: expected at least one token");
    await expect(sample(model, "to be ".repeat(300), { length: 1, seed: 1 })).rejects.toThrow(ContextLengthError);
    const full = model.tokenizer.decode(new Array(model.config.nPositions).fill(model.tokenizer.encode("?")[0]!));
    await expect(sample(model, full, { length: 1, seed: 1 })).rejects.toThrow(ContextLengthError);
  });

  it.each([{ length: 0 }, { length: 1.5 }, { horizon: 3 }, { temperature: 0 }, { topK: 0 }])(
    "refuses %j",
    async (wrong) => {
      const options = { length: 5, seed: 1, ...wrong } as SampleOptions;
      await expect(sample(model, prompt, options)).rejects.toThrow(OptionError);
    },
  );

  it("ends early when aborted", async () => {
    const controller = new AbortController();
    const onToken = (count: number): void => {
      if (count === 3) controller.abort(new Error("enough"));
    };
    const options: SampleOptions = { length: 50, horizon: 2, seed: 1, onToken, signal: controller.signal };
    await expect(sample(model, prompt, options)).rejects.toThrow("enough");
  });
});
