import { createWasmBackend, Generator, type MatrixEncoding, OptionError } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Drafter, PromptLookup } from "../../src/generate/lookup.ts";
import type { GenerateOptions } from "../../src/generate/options.ts";
import type { SamplingOptions } from "../../src/generate/sampling.ts";
import type { SequenceOptions } from "../../src/generate/sequence.ts";
import { GPT2 } from "../../src/gpt2.ts";
import type { Model } from "../../src/model/model.ts";
import { randomModel, SHAKESPEARE } from "../support/models.ts";
import { streamed } from "../support/streamed.ts";
import { generatedAlone } from "../support/tokens.ts";

const shape = { nLayer: 2, nHead: 2, nEmbd: 16, nPositions: 48, vocabSize: 50 };

const sampling: fc.Arbitrary<SamplingOptions> = fc.record(
  {
    temperature: fc.constantFrom(0, 0.5, 1, 4),
    topK: fc.constantFrom(2, 10),
    topP: fc.constantFrom(0.5, 0.95),
    minP: fc.constantFrom(0.01, 0.2),
    repetitionPenalty: fc.constantFrom(0.8, 1.2),
    noRepeatNgramSize: fc.constantFrom(2, 4),
    presencePenalty: fc.constantFrom(-0.5, 0.5),
    frequencyPenalty: fc.constantFrom(-0.3, 0.3),
    logitBias: fc.constantFrom({ 3: 2, 7: -3 }, { 11: Number.NEGATIVE_INFINITY }),
  },
  { requiredKeys: [] },
);

const collect = (model: Model, prompt: readonly number[], options: Omit<SequenceOptions, "prompt">) =>
  generatedAlone(model, { ...options, prompt });

/** Knows how the text goes on, and is wrong where `isWrong` says so. */
function knowing(ids: readonly number[], lengths: () => number, isWrong: () => boolean): Drafter {
  let at = 0;
  return {
    push: () => at++,
    draft: (most) => {
      const draft = ids.slice(at, at + Math.min(most, lengths()));
      return draft.map((id) => (isWrong() ? (id + 1) % 50 : id));
    },
  };
}

for (const device of ["reference", "wasm"] as const) {
  it(`tokens with drafts are those without, with log-probabilities, to the bit, whatever is drafted (${device})`, async () => {
    const model = randomModel(device, shape);
    const lookups = { drafted: 0, accepted: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(49), { minLength: 1, maxLength: 40 }),
        fc.record({ seed: fc.nat(), maxTokens: fc.constantFrom(undefined, 1, 2, 9, 30), logprobs: fc.boolean() }),
        sampling,
        fc.constantFrom([], [4], [1, 2, 3, 5, 8, 13]),
        fc.constantFrom(0, 0.2, 0.5, 1),
        async (prompt, given, chosen, endTokens, errors) => {
          const options = { ...given, ...chosen, endTokens };
          const expected = await collect(model, prompt, options);
          const ids = expected.tokens.map(({ id }) => id);
          const random = new Generator(given.seed);
          const drafter = knowing(
            [...ids, ...endTokens, 9, 9], // what would follow may be proposed too
            () => Math.floor(random.uniform() * 9),
            () => random.uniform() < errors,
          );
          expect(await collect(model, prompt, { ...options, drafter })).toEqual(expected);
          const lookup = new PromptLookup(prompt, () => 1);
          expect(await collect(model, prompt, { ...options, drafter: lookup })).toEqual(expected);
          lookups.drafted += lookup.statistics.drafted;
          lookups.accepted += lookup.statistics.accepted;
        },
      ),
      { numRuns: 50, seed: 13 },
    );
    expect(lookups.accepted).toBeGreaterThan(20);
    expect(lookups.drafted).toBeGreaterThan(lookups.accepted);
  });
}

describe.each([
  ["wasm", "f32", 12, 40],
  ["wasm", "bf16", 6, 40],
  ["wasm", "int8", 6, 40],
  ["reference", "f32", 1, 12],
] as const)("texts of the Shakespeare model (%s, %s)", (device, dtype, runs, maxTokens) => {
  let model: GPT2;
  beforeAll(async () => {
    model = await GPT2.load(SHAKESPEARE, { device, dtype: dtype satisfies MatrixEncoding });
  });
  afterAll(() => model.dispose());

  it("are the same with lookup, piece by piece", async () => {
    const total = { drafted: 0, accepted: 0 };
    const prompts = fc.constantFrom(
      "ROMEO:\n",
      "To be, or not to be, that is the question: To be, or not",
      "the king, the king, the king, the",
      "",
    );
    const stops = fc.constantFrom<string[][]>([], ["\n\n"], ["e", "th"], [" king, the king"]);
    const rest = fc.record({ seed: fc.nat(), logprobs: fc.boolean(), stop: stops });
    await fc.assert(
      fc.asyncProperty(prompts, sampling, rest, async (prompt, chosen, given) => {
        const options = { ...chosen, ...given, maxTokens };
        const { result, pieces } = await streamed(model, prompt, options);
        const with_ = await streamed(model, prompt, { ...options, speculate: "lookup" });
        const { speculation, ...generation } = with_.result;
        expect({ ...generation, speculation: undefined }).toEqual(result);
        expect(with_.pieces).toEqual(pieces);
        total.drafted += speculation!.drafted;
        total.accepted += speculation!.accepted;
      }),
      { numRuns: runs, seed: 5, examples: [["", { logitBias: { 5: 30 } }, { seed: 1, logprobs: true, stop: [] }]] },
    );
    if (device === "wasm") expect(total.accepted).toBeGreaterThan(10);
    else expect(total.drafted).toBe(0);
  });
});

describe("speculation", () => {
  it("takes as many passes fewer as tokens were accepted", async () => {
    const model = await GPT2.load(SHAKESPEARE);
    const options: GenerateOptions = { greedy: true, maxTokens: 60, logitBias: { 5: 1000 }, speculate: "lookup" };
    const { ids, speculation } = await model.generate("ROMEO:\n", options);
    expect(ids).toEqual(new Array(60).fill(5));
    expect(speculation!.accepted).toBeGreaterThan(40);
    expect((await model.generate("ROMEO:\n", { ...options, speculate: undefined })).speculation).toBeUndefined();
    model.dispose();
  });

  it("hands out nothing more once it is aborted in the middle of a draft", async () => {
    using model = await GPT2.load(SHAKESPEARE);
    const controller = new AbortController();
    const reason = new Error("enough");
    const repeated = { greedy: true, logitBias: { 5: 1000 }, speculate: "lookup" } as const;
    const events = model.events("ROMEO:\n", { ...repeated, signal: controller.signal });
    for (let i = 0; i < 11; i++) expect((await events.next()).value).toMatchObject({ id: 5 });
    controller.abort(reason);
    await expect(events.next()).rejects.toBe(reason);
    expect((await events.next()).done).toBe(true);
  });

  it("gives its memory back, also when the reader leaves in the middle of a draft", async () => {
    const backend = createWasmBackend({ threads: 1 });
    using model = await GPT2.load(SHAKESPEARE, { device: backend });
    const before = backend.info().usedBytes;
    const options = { greedy: true, logitBias: { 5: 1000 }, speculate: "lookup", maxTokens: 20 } as const;
    await model.generate("ROMEO:\n", options);
    expect(backend.info().usedBytes).toBe(before);
    let tokens = 0;
    for await (const _ of model.events("ROMEO:\n", options)) if (++tokens === 12) break;
    expect(backend.info().usedBytes).toBe(before);
    backend.dispose();
  });

  it("is refused under another name, and where passes of several tokens may have other bits", async () => {
    const { tokenizer, model } = await GPT2.load(SHAKESPEARE, { device: "reference" });
    const unknown = new GPT2(model, tokenizer).generate("a", { speculate: "draft" as "lookup" });
    await expect(unknown).rejects.toThrow(new OptionError("speculate", 'expected "lookup", got "draft"'));
    const onGpu = { ...model, weights: { ...model.weights, wte: { device: { name: "gpu" } } } } as unknown as Model;
    const refused = new GPT2(onGpu, tokenizer).generate("a", { speculate: "lookup" });
    await expect(refused).rejects.toMatchObject({ name: "OptionError", option: "speculate" });
  });
});
