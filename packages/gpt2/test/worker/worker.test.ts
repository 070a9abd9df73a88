import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { device, type Tensor, type WasmBackend } from "@gpt2-ts/tensor";
import { DisposedError } from "@gpt2-ts/tensor/errors";
import { OptionError } from "@gpt2-ts/tensor/options";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GenerationEvent, GPT2, type LanguageModel, type LoadProgress } from "../../src/index.ts";
import { contributions, logitLens, startHooks, trace } from "../../src/look/index.ts";
import { GPT2Worker } from "../../src/worker/index.ts";
import { ROOM } from "../../src/worker/protocol.ts";
import { midway } from "../support/midway.ts";
import { SHAKESPEARE } from "../support/models.ts";
import { type InProcess, inProcess } from "./in-process.ts";

const FINETUNE = join(import.meta.dirname, "../checkpoint/fixtures/finetune");
const PROMPT = "To be, or not to be";

let direct: GPT2;
let thread: InProcess;
let remote: GPT2Worker;
beforeAll(async () => {
  thread = inProcess();
  direct = await GPT2.load(SHAKESPEARE);
  remote = await GPT2Worker.load(SHAKESPEARE, { worker: thread });
});
afterAll(() => {
  direct.dispose();
  remote.dispose();
});

/** What each of the two models makes of the same. */
async function both<Result>(use: (model: LanguageModel) => Result): Promise<[Awaited<Result>, Awaited<Result>]> {
  return [await use(direct), await use(remote)];
}

async function elements(tensors: readonly Tensor[]): Promise<{ shape: readonly number[]; data: Float32Array }[]> {
  return Promise.all(tensors.map(async (each) => ({ shape: [...each.shape], data: await each.data() })));
}

async function collected<Item, Result>(stream: AsyncGenerator<Item, Result>) {
  const items: Item[] = [];
  let step = await stream.next();
  for (; !step.done; step = await stream.next()) items.push(step.value);
  return { items, result: step.value };
}

/** Events without times. */
const timeless = (event: GenerationEvent) => (event.type === "token" ? event : { ...event, usage: undefined });

async function followed(model: LanguageModel, ...args: Parameters<LanguageModel["stream"]>) {
  const pieces: string[] = [];
  const stream = model.stream(...args);
  let step = await stream.next();
  for (; !step.done; step = await stream.next()) pieces.push(step.value);
  return { pieces, result: step.value };
}

describe("a model in a worker has the results of one in the calling thread, to the bit:", () => {
  const options = { maxTokens: 40, seed: 5, temperature: 0.9, logprobs: true, stop: ["\n\n"] } as const;

  test("what it is", async () => {
    expect(remote.config).toEqual(direct.config);
    expect(remote.generationDefaults).toEqual(direct.generationDefaults);
    expect(remote.tokenizer.specialTokens).toEqual(direct.tokenizer.specialTokens);
  });

  test.each([[PROMPT], [[398, 304, 11]], [""], [Uint16Array.of(398, 304) as never]])(
    "the generation and the stream from %j",
    async (prompt) => {
      const [expected, actual] = await both((model) => model.generate(prompt, options));
      expect(actual).toEqual(expected);
      const [stream, sent] = await both((model) => followed(model, prompt, options));
      expect(sent).toEqual(stream);
      expect(sent.pieces.length).toBeGreaterThan(5);
    },
  );

  test("events, and what is generated together", async () => {
    const [events, sent] = await both((model) => collected(model.events(PROMPT, { ...options, top: 3 })));
    expect(sent.items.map(timeless)).toEqual(events.items.map(timeless));
    expect(sent.result).toEqual(events.result);
    const prompts = [PROMPT, [398, 304], { prompt: "", seed: 3, temperature: 0, logitBias: new Map([[5, 2]]) }];
    const [all, allSent] = await both((model) => model.generateAll(prompts, { ...options, samples: 2 }));
    expect(allSent).toEqual(all);
    expect(allSent).toHaveLength(6);
    const [each, eachSent] = await both((model) => collected(model.eventsAll(prompts, options)));
    expect(eachSent.items.map(timeless)).toEqual(each.items.map(timeless));
    expect(eachSent.result).toEqual(each.result);
    expect(await remote.generateAll([])).toEqual([]);
    expect(await remote.generateAll(new Array(60).fill("x".repeat(60)), { maxTokens: 1, seed: 1 })).toHaveLength(60);
  });

  test("texts that are generated together, of which one is aborted, at once or later", async () => {
    const aborted = AbortSignal.abort();
    for (const model of [direct, remote]) {
      const controller = new AbortController();
      const prompts = [{ prompt: PROMPT, signal: controller.signal }, PROMPT, { prompt: PROMPT, signal: aborted }];
      const seen: number[] = [];
      const events = model.eventsAll(prompts, { maxTokens: 60, seed: 5 });
      let step = await events.next();
      for (; !step.done; step = await events.next()) {
        seen.push(step.value.index);
        if (seen.length === 10) controller.abort();
      }
      const [first, second, third] = step.value;
      expect([first, second, third].map((each) => each!.finishReason)).toEqual(["aborted", "length", "aborted"]);
      expect(second!.text.startsWith(first!.text)).toBe(true);
      expect(first!.ids.length).toBeLessThan(60);
      expect(third!.ids).toEqual([]);
    }
  });

  test("scores of many texts, and of one of many tokens", async () => {
    const texts = Array.from({ length: 300 }, (_, i) => (i % 3 ? PROMPT.slice(0, i % 19) : [i, 2 * i, 3]));
    const [expected, actual] = await both((model) => model.scoreAll(texts));
    expect(actual).toEqual(expected);
    const long = Array.from({ length: 2500 }, (_, i) => (i * i) % 1024);
    const [expectedLong, actualLong] = await both((model) => model.score(long, { stride: 255, top: 2 }));
    expect(actualLong).toEqual(expectedLong);
    expect(await remote.scoreAll([])).toEqual([]);
  });

  test("logits, hidden states and attention maps", async () => {
    const of: ((model: LanguageModel) => Promise<readonly Tensor[]>)[] = [
      async (model) => [await model.logits(PROMPT)],
      async (model) => [await model.logits(Array.from({ length: 256 }, (_, i) => i))],
      async (model) => {
        const { blocks, final } = await model.hiddenStates(PROMPT);
        return [...blocks, final];
      },
      async (model) => model.attentionMaps(PROMPT),
    ];
    for (const tensors of of) {
      const [expected, actual] = await both(tensors);
      expect(await elements(actual)).toEqual(await elements(expected));
      for (const tensor of [...expected, ...actual]) tensor.dispose();
    }
  });

  test("traces, the logit lens and contributions", async () => {
    const long = Array.from({ length: 256 }, (_, i) => (i * i) % 1024);
    const places = ["h.*.attn.scores", "lnF", "logits"]; // scores of a whole context take several messages
    expect(await remote.trace(long, { places })).toEqual(await trace(direct, long, { places }));
    const ablate = ["h.1.attn.head.2"];
    expect(await remote.trace(PROMPT, { ablate })).toEqual(await trace(direct, PROMPT, { ablate }));
    expect(await remote.logitLens(PROMPT, { top: 3, ablate })).toEqual(
      await logitLens(direct, PROMPT, { top: 3, ablate }),
    );
    expect(await remote.contributions(PROMPT, { position: 2, target: 5 })).toEqual(
      await contributions(direct, PROMPT, { position: 2, target: 5 }),
    );
    const wrong = { places: ["x.9"] };
    const expected = await errorOf(() => trace(direct, PROMPT, wrong));
    expect(await errorOf(() => remote.trace(PROMPT, wrong))).toEqual(expected);
    const hooks = { "x.0": () => {} };
    await expect(remote.trace(PROMPT, { hooks } as never)).rejects.toThrow(/^trace: this cannot be sent to a worker/);
  });

  test("what it computes while places are switched off", async () => {
    const options = { maxTokens: 20, temperature: 0, seed: 1 } as const;
    const before = await remote.generate(PROMPT, options);
    const stop = startHooks(direct, { ablate: ["h.2.mlp.cProj"] });
    const expected = await direct.generate(PROMPT, options);
    stop();
    await remote.switchOff(["h.0.attn.head.1"]);
    await expect(remote.switchOff(["h.0.attn.head.9"])).rejects.toThrow(OptionError);
    expect(await remote.generate(PROMPT, options)).not.toEqual(before);
    await remote.switchOff(["h.2.mlp.cProj"]);
    expect(await remote.generate(PROMPT, options)).toEqual(expected);
    await remote.switchOff([]);
    expect(await remote.generate(PROMPT, options)).toEqual(before);
  });

  test("many calls at once", async () => {
    const calls = (model: LanguageModel): Promise<unknown[]> =>
      Promise.all([
        ...[1, 2, 3, 4].map((seed) => followed(model, PROMPT, { maxTokens: 20, seed })),
        model.scoreAll(["To be", "or not"]),
        model.generate("x", { maxTokens: 3, seed: 1 }),
        model.score(PROMPT),
      ]);
    const [expected, actual] = await both(calls);
    expect(actual).toEqual(expected);
  });

  test("a fine-tune's, whose tokenizer has tokens of its own", async () => {
    const onWarning = (): void => {};
    using expected = await GPT2.load(FINETUNE, { onWarning, useGenerationConfig: true });
    using actual = await GPT2Worker.load(pathToFileURL(FINETUNE), {
      worker: inProcess(),
      onWarning,
      useGenerationConfig: true,
    });
    expect(actual.generationDefaults).toEqual(expected.generationDefaults);
    expect(actual.tokenizer.addedTokens).toEqual(expected.tokenizer.addedTokens);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.constantFrom("all", "none"), (text, allowedSpecial) => {
        const marked = `${text}${actual.tokenizer.addedTokens[0]!.content}${text}`;
        const ids = actual.tokenizer.encode(marked, { allowedSpecial });
        expect(ids).toEqual(expected.tokenizer.encode(marked, { allowedSpecial }));
        expect(actual.tokenizer.decode(ids)).toBe(expected.tokenizer.decode(ids));
      }),
    );
  });

  test("one that is loaded from files", async () => {
    const names = ["config.json", "vocab.json", "merges.txt", "model.safetensors"];
    const files = await Promise.all(
      names.map(async (name) => [name, new Blob([await readFile(join(SHAKESPEARE, name))])]),
    );
    const progress: LoadProgress[] = [];
    using fromFiles = await GPT2Worker.load(Object.fromEntries(files), {
      worker: inProcess(),
      onProgress: (each) => progress.push(each),
    });
    expect(await fromFiles.score(PROMPT)).toEqual(await direct.score(PROMPT));
    expect(progress.at(-1)).toMatchObject({ loaded: 957_184, total: 957_184 });
  });
});

/** What an error is made of: enough for callers to tell it apart. */
async function errorOf(action: () => unknown): Promise<{ readonly class: unknown; readonly error: Error }> {
  try {
    await action();
  } catch (thrown) {
    const error = thrown as Error;
    return { class: error.constructor, error: { ...error, name: error.name, message: error.message } };
  }
  return expect.fail("it does not throw");
}

/** Rules every token out. */
const NOTHING = Object.fromEntries(Array.from({ length: 1024 }, (_, id) => [id, Number.NEGATIVE_INFINITY]));

describe("a model in a worker throws what one in the calling thread does", () => {
  test.each<[string, (model: LanguageModel) => unknown]>([
    ["a text that is none", (model) => model.generate(5 as never)],
    ["options that are none", (model) => model.generate(PROMPT, "fast" as never)],
    ["an unknown option", (model) => model.generate(PROMPT, { numBeams: 2 } as never)],
    ["an unknown option that is a function", (model) => model.score(PROMPT, { onDone: () => {} } as never)],
    ["an option that should not be a function", (model) => model.generate(PROMPT, { maxTokens: (() => 1) as never })],
    ["an option out of range", (model) => model.generate(PROMPT, { topP: 2 })],
    ["an id that is no token", (model) => model.score([1, 5000])],
    ["a prompt without room", (model) => model.generate(new Array(256).fill(1))],
    ["a text that is too long", (model) => model.scoreAll([[1], new Array(300).fill(1)])],
    ["texts that are none", (model) => model.scoreAll(PROMPT as never)],
    ["prompts that are none", (model) => model.generateAll(PROMPT as never)],
    ["a prompt that is none", (model) => model.generateAll([PROMPT, 5 as never])],
    ["an unknown option of a prompt", (model) => model.generateAll([{ prompt: PROMPT, samples: 2 } as never])],
    ["an aborted signal of all", (model) => model.generateAll([PROMPT], { signal: AbortSignal.abort(7) })],
    ["a text that cannot go on", (model) => model.generateAll([PROMPT, { prompt: "a", logitBias: NOTHING }])],
    ["logits of nothing", (model) => model.logits([])],
    ["hidden states of no tokens", (model) => model.hiddenStates([-1])],
    ["an error in a listener", (model) => model.score(PROMPT, { onProgress: () => expect.fail("by the listener") })],
    ["a signal that is aborted", (model) => model.generate(PROMPT, { signal: AbortSignal.abort(new RangeError("x")) })],
  ])("for %s", async (_, action) => {
    const expected = await errorOf(() => action(direct));
    expect(await errorOf(() => action(remote))).toEqual(expected);
  });

  test.each<[string, unknown, object]>([
    ["a folder that is not there", join(SHAKESPEARE, "none"), {}],
    ["what is no place", 7, {}],
    ["files that lack one", {}, {}],
    ["a dtype that there is not", SHAKESPEARE, { dtype: "f8" }],
    ["an option of another device", SHAKESPEARE, { gpuMode: "cpu" }],
    ["options that are none", SHAKESPEARE, null as never],
  ])("when loading %s", async (_, where, options) => {
    const expected = await errorOf(() => GPT2.load(where as string, options));
    const worker = options === null ? {} : { worker: inProcess() };
    const actual = await errorOf(() => GPT2Worker.load(where as string, options && { ...options, ...worker }));
    if (options === null) expect(actual.class).toBe(expected.class);
    else expect(actual).toEqual(expected);
  });

  test("and an OptionError for a device that is no name, or an unknown option", async () => {
    const load = (options: object): Promise<GPT2Worker> => GPT2Worker.load(SHAKESPEARE, options);
    await expect(load({ device: device("reference") })).rejects.toThrow(/^device: expected its name/);
    await expect(load({ thread: 2 })).rejects.toThrow(/^thread: there is no such option; there are .*, worker$/);
  });
});

describe("calls that are not waited for", () => {
  /** Those that the thread has not ended. */
  function running(): number[] {
    const ended = new Set(thread.sent.filter(({ type }) => type === "done" || type === "failed").map(({ id }) => id));
    return thread.received.filter(({ type, id }) => type === "call" && !ended.has(id)).map(({ id }) => id);
  }

  test("an abort throws the signal's own reason, at once, and ends the work", async () => {
    const controller = new AbortController();
    const reason = { because: "of this" };
    const { signal } = controller;
    const calls = [
      remote.generate(PROMPT, { signal }),
      remote.scoreAll(new Array(200).fill(PROMPT), { signal }),
      followed(remote, PROMPT, { signal }),
    ];
    midway(
      () => controller.abort(reason),
      () => running().length === calls.length,
    );
    await Promise.all(calls.map((call) => expect(call).rejects.toBe(reason)));
    await expect.poll(running).toEqual([]);
  });

  test("a reader who takes his time is not run ahead of, and one who leaves frees what was in use", async () => {
    const wasm = device("wasm") as WasmBackend;
    const before = wasm.info().usedBytes;
    const items = thread.sent.filter(({ type }) => type === "item").length;
    const stream = remote.stream(PROMPT, { seed: 1 });
    await stream.next();
    const ahead = (): number => thread.sent.filter(({ type }) => type === "item").length - items;
    await expect.poll(ahead).toBe(1 + ROOM);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(ahead()).toBe(1 + ROOM);
    expect(wasm.info().usedBytes).toBeGreaterThan(before);
    await stream.return(undefined as never);
    await expect.poll(running).toEqual([]);
    expect(wasm.info().usedBytes).toBe(before);
  });

  test("a stream that nobody reads is not begun", async () => {
    const received = thread.received.length;
    const stream = remote.stream(PROMPT);
    await stream.return(undefined as never);
    expect(thread.received.length).toBe(received);
  });

  test("dispose ends them, and all later ones, with a DisposedError", async () => {
    const worker = inProcess();
    const model = await GPT2Worker.load(SHAKESPEARE, { worker });
    const pending = [model.generate(PROMPT), model.score(PROMPT), followed(model, PROMPT)];
    const begun = (): boolean => worker.received.filter(({ type }) => type === "call").length === pending.length;
    midway(() => model.dispose(), begun);
    for (const call of pending) await expect(call).rejects.toThrow(DisposedError);
    await expect(model.logits(PROMPT)).rejects.toThrow(DisposedError);
    model.dispose();
  });

  test("an abort while loading throws the signal's own reason, and tells the worker", async () => {
    const controller = new AbortController();
    const onProgress = (): void => controller.abort("enough");
    const worker = inProcess();
    const loading = GPT2Worker.load(SHAKESPEARE, { worker, signal: controller.signal, onProgress });
    await expect(loading).rejects.toBe("enough");
    await expect.poll(() => worker.received.at(-1)?.type).toBe("stop");
  });
});
