import { createWasmBackend, type WasmBackend } from "@gpt2-ts/tensor";
import { OptionError } from "@gpt2-ts/tensor/options";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ContextLengthError, TokenIdError } from "../../src/errors.ts";
import type { GenerateAllOptions } from "../../src/generate/generate.ts";
import type { GenerateOptions } from "../../src/generate/options.ts";
import type { Generation, GenerationEvent } from "../../src/generate/text.ts";
import { GPT2 } from "../../src/gpt2.ts";
import type { GenerateRequest, Text } from "../../src/language-model.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { midway } from "../support/midway.ts";
import { randomModel, SHAKESPEARE, scriptedModel } from "../support/models.ts";

const shape = { nLayer: 1, nHead: 2, nEmbd: 8, nPositions: 40, vocabSize: 1024 };

let shipped: GPT2;
let tokenizer: Tokenizer;
beforeAll(async () => {
  shipped = await GPT2.load(SHAKESPEARE);
  tokenizer = shipped.tokenizer;
});
afterAll(() => shipped.dispose());

/** What a generation says, but for how well guessing went: that depends on who else is in a pass. */
const withoutSpeculation = (generation: Generation) => ({ ...generation, speculation: undefined });

const prompts = fc.oneof(
  fc.array(fc.nat(1023), { maxLength: 39 }),
  fc.constantFrom(
    [1, 2, 3],
    [1, 2, 3, 1, 2, 3, 1, 2],
    Array.from({ length: 35 }, (_, i) => i),
  ), // which several begin with
);

const given: fc.Arbitrary<GenerateOptions> = fc.record(
  {
    seed: fc.nat(),
    maxTokens: fc.integer({ min: 1, max: 9 }),
    temperature: fc.constantFrom(0, 0.3, 1),
    topK: fc.constantFrom(3, 40),
    topP: fc.constantFrom(0.5, 0.95),
    repetitionPenalty: fc.constantFrom(0.8, 1.2),
    logitBias: fc.constantFrom({ 5: 8 }, { 1023: 7 }),
    stop: fc.constantFrom("e", ["th", " "]),
    logprobs: fc.constant(true),
    top: fc.constantFrom(1, 4),
    speculate: fc.constant("lookup" as const),
    stopAtEndOfText: fc.constant(false),
  },
  { requiredKeys: ["seed", "maxTokens"] },
);

interface Mixed {
  readonly prompt: readonly number[];
  readonly options: GenerateOptions;
  /** Aborted when so many of its events have come; never, if there are not so many. */
  readonly abortedAfter: number | undefined;
}

const mixed: fc.Arbitrary<Mixed> = fc.record({
  prompt: prompts,
  options: given.map((options) => ({ ...options, ...(options.top && { logprobs: true }) })),
  abortedAfter: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(6) }),
});

const limits: fc.Arbitrary<GenerateAllOptions> = fc.record(
  { maxConcurrent: fc.integer({ min: 1, max: 6 }), maxCacheBytes: fc.integer({ min: 1, max: 15_000 }) },
  { requiredKeys: [] },
);

/** Runs it, with aborts as they are asked for. */
async function together(model: GPT2, mix: readonly Mixed[], options: GenerateAllOptions) {
  const controllers = mix.map(() => new AbortController());
  const counts = mix.map(() => 0);
  const abort = (i: number): void => {
    if (counts[i] === mix[i]!.abortedAfter) controllers[i]!.abort();
  };
  for (const i of mix.keys()) abort(i);
  const requests = mix.map((each, i) => ({ ...each.options, prompt: each.prompt, signal: controllers[i]!.signal }));
  const events: GenerationEvent[][] = mix.map(() => []);
  const stream = model.eventsAll(requests, options);
  for (let step = await stream.next(); ; step = await stream.next()) {
    if (step.done) return { generations: step.value, events };
    const { index } = step.value;
    events[index]!.push(step.value);
    counts[index]!++;
    if (counts[index]! % 2 === 0) abort(index);
    else setImmediate(abort, index); // in the middle of a pass
  }
}

for (const device of ["wasm", "reference"] as const) {
  it(`texts generated together are those generated alone, to the bit, also when some are aborted (${device})`, async () => {
    const backend = device === "wasm" ? createWasmBackend({ threads: 1 }) : undefined;
    const model = new GPT2(randomModel(backend ?? device, shape), tokenizer);
    const used = (): number | undefined => (backend as WasmBackend | undefined)?.info().usedBytes;
    const before = used();
    const seen = { whole: 0, aborted: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(mixed, { minLength: 1, maxLength: 4 }), limits, async (mix, options) => {
        const { generations, events } = await together(model, mix, options);
        expect(used()).toBe(before);
        for (const [i, { prompt, options }] of mix.entries()) {
          const alone = await model.generate(prompt, options);
          const generation = generations[i]!;
          expect(events[i]!.map(({ text }) => text).join("")).toBe(generation.text);
          const tokens = events[i]!.filter((event) => event.type === "token");
          expect(tokens.map(({ id }) => id)).toEqual(generation.ids);
          expect(events[i]!.at(-1)).toMatchObject({ type: "end", finishReason: generation.finishReason });
          expect(events[i]!.length).toBe(tokens.length + 1);
          if (generation.finishReason !== "aborted") {
            expect(withoutSpeculation(generation)).toEqual(withoutSpeculation(alone));
            seen.whole++;
            continue;
          }
          expect(alone.ids.slice(0, generation.ids.length)).toEqual(generation.ids);
          expect(alone.logprobs?.slice(0, generation.ids.length)).toEqual(generation.logprobs);
          seen.aborted++;
        }
      }),
      { numRuns: 100, seed: 3 },
    );
    expect(seen.whole).toBeGreaterThan(120);
    expect(seen.aborted).toBeGreaterThan(20);
    backend?.dispose();
  });
}

describe("generating together", () => {
  it("gives samples the seeds that follow", async () => {
    const gpt2 = new GPT2(randomModel("reference", shape), tokenizer);
    const texts: Text[] = [[1, 2, 3, 4], [9]];
    const options = { maxTokens: 6, temperature: 3, stopAtEndOfText: false } as const;
    const samples = await gpt2.generateAll(texts, { ...options, samples: 3, seed: 10 });
    expect(samples.map(({ seed }) => seed)).toEqual([10, 11, 12, 10, 11, 12]);
    for (const [i, sample] of samples.entries()) {
      const alone = await gpt2.generate(texts[Math.floor(i / 3)]!, { ...options, seed: 10 + (i % 3) });
      expect(sample).toEqual(alone);
    }
    expect(new Set(samples.map(({ text }) => text)).size).toBe(6);
  });

  it("draws seeds of its own when none is given, and tells them", async () => {
    const first = await shipped.generateAll(["To be"], { samples: 2, maxTokens: 10 });
    expect(first[0]!.seed).not.toBe(first[1]!.seed);
    for (const { seed, text } of first) {
      expect((await shipped.generate("To be", { maxTokens: 10, seed })).text).toBe(text);
    }
  });

  it("lets a prompt's own options override those for all", async () => {
    const [cold, warm] = await shipped.generateAll(["To be", { prompt: "To be", temperature: 2, seed: 5 }], {
      temperature: 0,
      maxTokens: 8,
      seed: 1,
    });
    expect(cold).toEqual(await shipped.generate("To be", { temperature: 0, maxTokens: 8, seed: 1 }));
    expect(warm).toEqual(await shipped.generate("To be", { temperature: 2, maxTokens: 8, seed: 5 }));
  });

  it("gives nothing for no prompts", async () => {
    expect(await shipped.generateAll([])).toEqual([]);
  });

  it("throws the signal's reason when all of it is aborted, and one error of a text ends it all", async () => {
    const reason = new Error("enough");
    await expect(shipped.generateAll(["a"], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    midway(() => controller.abort(reason));
    await expect(shipped.generateAll(["a", "b"], { signal: controller.signal })).rejects.toBe(reason);
    const bias = Object.fromEntries(Array.from({ length: 1024 }, (_, id) => [id, Number.NEGATIVE_INFINITY]));
    const impossible = shipped.generateAll(["a", { prompt: "b", logitBias: bias }], { maxTokens: 5 });
    await expect(impossible).rejects.toThrow(/do the options rule out every token/);
  });

  it.each<[string, readonly unknown[], object, new (...args: never[]) => Error, RegExp]>([
    ["an option that is none", ["a"], { number: 3 }, OptionError, /^number: there is no such option/],
    ["an option of a prompt that is none", [{ prompt: "a", samples: 2 }], {}, OptionError, /^samples: there is no/],
    ["no samples", ["a"], { samples: 0 }, OptionError, /^samples: /],
    ["nothing at once", ["a"], { maxConcurrent: 0 }, OptionError, /^maxConcurrent: /],
    ["no room", ["a"], { maxCacheBytes: 0.5 }, OptionError, /^maxCacheBytes: /],
    ["alternatives without log-probabilities", ["a"], { top: 2, logprobs: false }, OptionError, /^top: /],
    ["a prompt that is too long", ["a", new Array(256).fill(1)], {}, ContextLengthError, /257 tokens/],
    ["an id that is no token", [[1, 5000]], {}, TokenIdError, /5000/],
    ["a prompt that is none", [5], {}, TypeError, /^generateAll: expected a text/],
    ["a prompt where several are expected", "To be" as never, {}, TypeError, /^generateAll: .*generate takes one$/],
  ])("refuses %s before it begins", async (_, prompts, options, type, message) => {
    const refused = shipped.generateAll(prompts as GenerateRequest[], options);
    await expect(refused).rejects.toThrow(type);
    await expect(refused).rejects.toThrow(message);
  });
});

describe("events", () => {
  const collected = async (events: AsyncGenerator<GenerationEvent, Generation>) => {
    const all: GenerationEvent[] = [];
    for (let step = await events.next(); ; step = await events.next()) {
      if (step.done) return { all, generation: step.value };
      all.push(step.value);
    }
  };

  it("tell each token, its text, log-probability and alternatives, and at the end why and how much", async () => {
    const options = { maxTokens: 20, seed: 2, top: 3 };
    const { all, generation } = await collected(shipped.events("To be", options));
    expect(generation).toEqual(await shipped.generate("To be", options));
    const tokens = all.filter((event) => event.type === "token");
    expect(tokens.map(({ id }) => id)).toEqual(generation.ids);
    expect(tokens.map(({ token }) => token)).toEqual(tokenizer.tokens(generation.ids));
    expect(tokens.map(({ logprob }) => logprob)).toEqual(generation.logprobs);
    expect(tokens.map(({ alternatives }) => alternatives)).toEqual(generation.alternatives);
    expect(all.map(({ text }) => text).join("")).toBe(generation.text);
    const end = all.at(-1)!;
    expect(end).toMatchObject({ type: "end", index: 0, finishReason: "length", generation });
    const { usage } = end as Extract<GenerationEvent, { type: "end" }>;
    expect(usage).toMatchObject({ promptTokens: generation.promptIds.length, generatedTokens: 20 });
    expect(usage.firstTokenTime).toBeGreaterThan(0);
    expect(usage.totalTime).toBeGreaterThanOrEqual(usage.firstTokenTime!);
  });

  it("have the log-probabilities of scoring, with the same alternatives", async () => {
    const { promptIds, ids, ...rest } = await shipped.generate("To be", { maxTokens: 12, seed: 2, top: 3 });
    const score = await shipped.score([...promptIds, ...ids], { top: 3 });
    const told = [...rest.promptLogprobs!, ...rest.logprobs!];
    for (const [i, logprob] of told.entries()) expect(logprob).toBeCloseTo(score.logprobs[i]!, 4);
    const alternatives = [...rest.promptAlternatives!, ...rest.alternatives!];
    const ranked = (rows: typeof alternatives) => rows.map((row) => row.map(({ id }) => id));
    expect(ranked(alternatives)).toEqual(ranked(score.alternatives as typeof alternatives));
  });

  it("have the same number for a token and for itself among the alternatives", async () => {
    const { ids, logprobs, alternatives } = await shipped.generate("ROMEO", { greedy: true, maxTokens: 30, top: 2 });
    for (const [i, [best, second]] of alternatives!.entries()) {
      expect(best).toMatchObject({ id: ids[i], logprob: logprobs![i] });
      expect(second!.logprob).toBeLessThanOrEqual(best!.logprob);
    }
  });

  it("give no text for a token that completes no character, and all of it with the one that does", async () => {
    const text = "na😀!";
    const ids = tokenizer.encode(text);
    const model = new GPT2(scriptedModel([...ids, 0, 0], 1024), tokenizer);
    const { all } = await collected(model.events([0], { greedy: true, maxTokens: ids.length }));
    expect(all.filter((event) => event.type === "token" && event.text === "").length).toBeGreaterThan(0);
    expect(all.map(({ text: piece }) => piece).join("")).toBe(text);
  });

  it("hand what was held back for a stop text out at the end", async () => {
    const ids = tokenizer.encode("one tw");
    const model = new GPT2(scriptedModel([...ids, 0, 0], 1024), tokenizer);
    const { all } = await collected(model.events([0], { greedy: true, maxTokens: ids.length, stop: " two" }));
    expect(all.at(-1)).toMatchObject({ type: "end", text: " tw", finishReason: "length" });
  });

  it("cost nothing more when no log-probabilities are asked for", async () => {
    const { all, generation } = await collected(shipped.events("To be", { maxTokens: 3, seed: 1 }));
    for (const event of all) if (event.type === "token") expect(event.logprob ?? event.alternatives).toBeUndefined();
    expect(generation).toMatchObject({ logprobs: undefined, alternatives: undefined, promptAlternatives: undefined });
  });

  it("end with the signal's reason, before the first, between two, or while a long prompt is read", async () => {
    const reason = new Error("enough");
    await expect(shipped.events("a", { signal: AbortSignal.abort(reason) }).next()).rejects.toBe(reason);
    const controller = new AbortController();
    const events = shipped.events("a", { signal: controller.signal });
    await events.next();
    await events.next();
    controller.abort(reason);
    await expect(events.next()).rejects.toBe(reason);
    expect((await events.next()).done).toBe(true);
    const model = new GPT2(randomModel("reference", { ...shape, nPositions: 700 }), tokenizer);
    const reading = new AbortController();
    midway(() => reading.abort(reason));
    const prompt = Array.from({ length: 600 }, (_, i) => i);
    await expect(model.generate(prompt, { signal: reading.signal })).rejects.toBe(reason);
  });

  it("free what they used when the reader leaves early", async () => {
    const backend = createWasmBackend({ threads: 1 });
    const model = new GPT2(randomModel(backend, shape), tokenizer);
    const before = backend.info().usedBytes;
    for await (const _ of model.events([1, 2, 3], { seed: 1 })) break;
    for await (const _ of model.eventsAll([[1], [2, 3]], { seed: 1, samples: 2 })) break;
    expect(backend.info().usedBytes).toBe(before);
    backend.dispose();
  });
});
