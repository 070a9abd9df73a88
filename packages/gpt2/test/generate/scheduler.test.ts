import { createWasmBackend, startObserving } from "@gpt2-ts/tensor";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Scheduler, type SchedulerLimits } from "../../src/generate/scheduler.ts";
import type { FinishReason, Sequence, SequenceOptions } from "../../src/generate/sequence.ts";
import { cacheBytesPerToken } from "../../src/model/kv-cache.ts";
import type { Model } from "../../src/model/model.ts";
import { midway } from "../support/midway.ts";
import { randomModel } from "../support/models.ts";
import { generatedAlone } from "../support/tokens.ts";

const shape = { nLayer: 1, nHead: 2, nEmbd: 16, nPositions: 64, vocabSize: 50 };
const model = randomModel("reference", shape);
const promptOf = (length: number, salt = 1): number[] => Array.from({ length }, (_, i) => (i * i * salt + i) % 50);

/** What has come of a text so far. */
interface Followed {
  readonly sequence: Sequence;
  readonly ids: number[];
  reason: FinishReason | undefined;
  error: unknown;
}

/** A scheduler whose texts can be followed. */
class Bench {
  readonly scheduler: Scheduler;
  readonly texts: Followed[] = [];
  /** After each step, how many tokens each text has. */
  readonly history: number[][] = [];

  constructor(limits: SchedulerLimits = {}, of: Model = model) {
    this.scheduler = new Scheduler(of, limits);
  }

  add(options: Partial<SequenceOptions> & Pick<SequenceOptions, "prompt">): Followed {
    const followed: { -readonly [K in keyof Followed]: Followed[K] } = {
      sequence: undefined as never,
      ids: [],
      reason: undefined,
      error: undefined,
    };
    followed.sequence = this.scheduler.add(
      { seed: 1, ...options },
      {
        prompt: () => {},
        token: ({ id }) => {
          followed.ids.push(id);
          return false;
        },
        end: (reason) => {
          followed.reason = reason;
        },
        fail: (error) => {
          followed.error = error;
        },
      },
    );
    this.texts.push(followed);
    return followed;
  }

  async step(): Promise<void> {
    await this.scheduler.step();
    this.history.push(this.texts.map(({ ids }) => ids.length));
  }

  async run(): Promise<void> {
    while (this.scheduler.busy) await this.step();
  }
}

describe("a scheduler", () => {
  it("takes every text one token further with each pass", async () => {
    const bench = new Bench();
    for (const maxTokens of [3, 5, 2]) bench.add({ prompt: promptOf(4, maxTokens), maxTokens });
    await bench.run();
    expect(bench.history).toEqual([
      [1, 1, 1],
      [2, 2, 2],
      [3, 3, 2],
      [3, 4, 2],
      [3, 5, 2],
    ]);
  });

  it("draws together what temperature alone decides, and each of it as alone", async () => {
    const device = createWasmBackend({ threads: 2 });
    const fast = randomModel(device, shape);
    const bench = new Bench({}, fast);
    const given = [{}, { temperature: 0.3 }, { greedy: true }, { topK: 3 }, { temperature: 4 }, { topP: 0.8 }];
    for (const [seed, options] of given.entries())
      bench.add({ prompt: promptOf(4, seed), seed, maxTokens: 4, ...options });
    await bench.step();
    const rows: number[] = [];
    const stop = startObserving({
      after: ({ op }, [ids]) => {
        if (op.name === "categorical") rows.push(ids!.shape[0]!);
      },
    });
    await bench.run();
    stop();
    expect(rows).toEqual([3, 3, 3]);
    for (const [i, { ids, sequence }] of bench.texts.entries()) {
      expect(ids, JSON.stringify(given[i])).toEqual((await generatedAlone(fast, sequence.options)).ids);
    }
    device.dispose();
  });

  it("reads a long prompt in pieces while others go on", async () => {
    const bench = new Bench({ tokensPerPass: 20 });
    bench.add({ prompt: promptOf(3), maxTokens: 6 });
    bench.add({ prompt: promptOf(40), maxTokens: 2 });
    await bench.run();
    // 17 of its tokens beside the first prompt, then 19 and 4 beside one token.
    expect(bench.history.map(([, long]) => long)).toEqual([0, 0, 1, 2, 2, 2]);
    expect(bench.history.map(([short]) => short)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("reads some of a prompt however many others are in the pass", async () => {
    const bench = new Bench({ tokensPerPass: 1 });
    for (let i = 0; i < 4; i++) bench.add({ prompt: [i], maxTokens: 10 });
    await bench.step();
    bench.add({ prompt: promptOf(32), maxTokens: 1 });
    await bench.step();
    await bench.step();
    expect(bench.texts.at(-1)).toMatchObject({ reason: "length" });
  });

  it("reads a prompt that several texts begin with once, also for those that come while it is read", async () => {
    const bench = new Bench({ tokensPerPass: 16 });
    const prompt = promptOf(40);
    for (let seed = 0; seed < 3; seed++) bench.add({ prompt: [...prompt], seed, maxTokens: 3 });
    await bench.step();
    bench.add({ prompt, seed: 3, maxTokens: 5 });
    await bench.run();
    expect(bench.history).toEqual([
      [0, 0, 0],
      [0, 0, 0, 0],
      [1, 1, 1, 1],
      [2, 2, 2, 2],
      [3, 3, 3, 3],
      [3, 3, 3, 4],
      [3, 3, 3, 5],
    ]);
    for (const [seed, { ids }] of bench.texts.entries()) {
      expect(ids).toEqual((await generatedAlone(model, { prompt, seed, maxTokens: ids.length })).ids);
    }
  });

  it("reads on for the others when the text that began a prompt is cancelled", async () => {
    const bench = new Bench({ tokensPerPass: 16 });
    const prompt = promptOf(40);
    for (const maxTokens of [3, 4]) bench.add({ prompt, maxTokens });
    await bench.step();
    bench.scheduler.cancel(bench.texts[0]!.sequence);
    await bench.run();
    expect(bench.texts[0]).toMatchObject({ ids: [], reason: "aborted" });
    expect(bench.texts[1]!.ids).toEqual((await generatedAlone(model, { prompt, seed: 1, maxTokens: 4 })).ids);
    expect(bench.history.length).toBe(6);
  });

  it("lets texts wait, in turn, for which there is no room in number or in memory", async () => {
    const perToken = cacheBytesPerToken(model.config, "f32");
    for (const limits of [{ maxConcurrent: 2 }, { maxCacheBytes: 25 * perToken }]) {
      const bench = new Bench(limits);
      for (const maxTokens of [2, 4, 3, 1]) bench.add({ prompt: promptOf(8, maxTokens), maxTokens });
      await bench.run();
      expect(bench.history).toEqual([
        [1, 1, 0, 0],
        [2, 2, 0, 0],
        [2, 3, 1, 0],
        [2, 4, 2, 0],
        [2, 4, 3, 1],
      ]);
    }
  });

  it("generates a text alone that is larger than the limit of memory", async () => {
    const bench = new Bench({ maxCacheBytes: 1 });
    for (let i = 0; i < 2; i++) bench.add({ prompt: promptOf(8), maxTokens: 2 });
    await bench.run();
    expect(bench.history).toEqual([
      [1, 0],
      [2, 0],
      [2, 1],
      [2, 2],
    ]);
  });

  it("frees the memory of a text with its end, and all of it when disposed of", async () => {
    const backend = createWasmBackend({ threads: 1 });
    const own = randomModel(backend, shape);
    const used = (): number => backend.info().usedBytes;
    const empty = used();
    const bench = new Bench({}, own);
    bench.add({ prompt: promptOf(8), maxTokens: 1 });
    bench.add({ prompt: promptOf(9), maxTokens: 50 });
    await bench.step();
    const one = used();
    const cancelled = bench.add({ prompt: promptOf(30), maxTokens: 30 });
    await bench.step();
    expect(used()).toBeGreaterThan(one);
    bench.scheduler.cancel(cancelled.sequence);
    expect(used()).toBe(one);
    bench.add({ prompt: promptOf(10) });
    bench.scheduler.dispose();
    expect(used()).toBe(empty);
    expect(bench.texts.map(({ reason }) => reason)).toEqual(["length", "aborted", "aborted", "aborted"]);
    expect(bench.scheduler.busy).toBe(false);
    backend.dispose();
  });

  it("gives a pass up when nobody wants what comes of it", async () => {
    const large = randomModel("reference", { ...shape, nLayer: 6 });
    let ran = 0;
    onTestFinished(startObserving({ before: () => void ran++ }));
    const ofPass = async (begin: (first: Followed, second: Followed, bench: Bench) => void) => {
      const bench = new Bench({}, large);
      const [first, second] = [bench.add({ prompt: promptOf(60) }), bench.add({ prompt: promptOf(50) })];
      begin(first, second, bench);
      ran = 0;
      await bench.step();
      return { ran, first, busy: bench.scheduler.busy };
    };
    const whole = await ofPass(() => {});
    expect(whole).toMatchObject({ first: { ids: [expect.any(Number)] }, busy: true });
    const givenUp = await ofPass((first, second, { scheduler }) =>
      midway(() => {
        scheduler.cancel(first.sequence);
        scheduler.cancel(second.sequence);
      }),
    );
    expect(givenUp).toMatchObject({ first: { ids: [], reason: "aborted", error: undefined }, busy: false });
    expect(givenUp.ran).toBeLessThan(whole.ran / 2);
  });

  it("ends a text whose output or logits fail, and no other", async () => {
    const bench = new Bench();
    const impossible = Object.fromEntries(Array.from({ length: 50 }, (_, id) => [id, Number.NEGATIVE_INFINITY]));
    bench.add({ prompt: [1], maxTokens: 3, logitBias: impossible });
    bench.add({ prompt: [2], maxTokens: 3 });
    await bench.run();
    expect(bench.texts[0]!.error).toBeInstanceOf(RangeError);
    expect(bench.texts[1]).toMatchObject({ reason: "length", error: undefined });
  });

  it("ends a text that there is no memory for, frees what it had of it, and goes on with others", async () => {
    const device = createWasmBackend({ threads: 1 });
    const bench = new Bench({}, randomModel(device, shape));
    const running = bench.add({ prompt: promptOf(4), maxTokens: 6 });
    await bench.step();
    const used = device.info().usedBytes;
    const large = bench.add({ prompt: promptOf(5), maxTokens: 20 });
    const full = new Error("no memory");
    const { allocate } = device;
    let left = 1; // the keys, not the values
    vi.spyOn(device, "allocate").mockImplementation((dtype, length) => {
      if (length === 2 * 25 * 8 && left-- === 0) throw full;
      return allocate.call(device, dtype, length) as never;
    });
    await bench.step();
    vi.restoreAllMocks();
    expect(large).toMatchObject({ ids: [], reason: undefined, error: full });
    expect(device.info().usedBytes).toBe(used);
    await bench.run();
    expect(running).toMatchObject({ reason: "length", error: undefined });
    device.dispose();
  });

  it("ends those of a pass that fails, and goes on with others", async () => {
    const bench = new Bench();
    bench.add({ prompt: [1], maxTokens: 3 });
    await bench.step();
    const broken = new Error("broken");
    vi.spyOn(bench.texts[0]!.sequence.cache!, "write").mockImplementation(() => {
      throw broken;
    });
    await bench.step();
    expect(bench.texts[0]).toMatchObject({ reason: undefined, error: broken });
    bench.add({ prompt: [1], maxTokens: 3 });
    await bench.run();
    expect(bench.texts[1]).toMatchObject({ reason: "length" });
  });
});
