import { device, type Tensor, type WasmBackend } from "@gpt2-ts/tensor";
import { describe, expect, test } from "vitest";
import { Context } from "../../src/generate/context.ts";
import { Batch } from "../../src/model/batch.ts";
import { disposeModel } from "../../src/model/dispose.ts";
import { KVCache } from "../../src/model/kv-cache.ts";
import { type C, forward, forwardInSteps, type T } from "../../src/model/model.ts";
import { nextTurn, pauses, withPauses } from "../../src/model/pauses.ts";
import { randomModel } from "../support/models.ts";

const wasm = device("wasm") as WasmBackend;
const shape = { nLayer: 3, nHead: 2, nEmbd: 16, nPositions: 32, vocabSize: 50 };
const IDS = [1, 2, 3, 4, 5, 6, 7];

/** Steps of at least as many milliseconds as pass between two turns of others. */
function* slow(count: number, steps: string[], name: string): Generator<void, string> {
  try {
    for (let i = 0; i < count; i++) {
      for (const end = performance.now() + 25; performance.now() < end; );
      steps.push(name);
      yield;
    }
    return name;
  } finally {
    steps.push(`${name} ends`);
  }
}

describe("a pass in steps", () => {
  test("has the bits of one at once, also when two are interleaved on one device", async () => {
    const model = randomModel("wasm", shape);
    using cache = new KVCache(model, 16);
    using first = new Batch(model, [{ ids: IDS, cache }]);
    using second = new Batch(model, [{ ids: [9, 8] }, { ids: [7, 6, 5] }]);
    using expected = forward(model, second);
    using expectedFirst = forward(model, first);
    const runs = [forwardInSteps(model, first), forwardInSteps(model, second)];
    const results: Tensor<[T, C]>[] = [];
    let steps = 0;
    while (results.length < 2) {
      for (const run of runs) {
        const { done, value } = run.next();
        if (done && value) results.push(value);
        steps++;
      }
    }
    expect(steps).toBe(2 * (2 * shape.nLayer + 2)); // two of each block, one behind the last, and the end
    expect(await results[0]!.data()).toEqual(await expectedFirst.data());
    expect(await results[1]!.data()).toEqual(await expected.data());
    for (const result of results) result.dispose();
    disposeModel(model);
  });

  test("that is given up in the middle leaves nothing behind", () => {
    const model = randomModel("wasm", shape);
    const before = wasm.info().usedBytes;
    for (let taken = 0; taken <= 2 * shape.nLayer + 1; taken++) {
      using batch = new Batch(model, [{ ids: IDS }]);
      const steps = forwardInSteps(model, batch);
      for (let i = 0; i < taken; i++) steps.next();
      steps.return(undefined as never);
    }
    expect(wasm.info().usedBytes).toBe(before);
    disposeModel(model);
  });
});

describe("pauses", () => {
  test("let timers run between steps, and computations take turns", async () => {
    const steps: string[] = [];
    const timer = setInterval(() => steps.push("timer"), 1);
    await Promise.all(["a", "b"].map((name) => withPauses(slow(3, steps, name), undefined)));
    clearInterval(timer);
    const computed = steps.filter((step) => step.length === 1).join("");
    expect(computed).toMatch(/^ab(ab|ba){2}$/);
    // The timer's first turn comes when the event loop first goes round; from then on there is one before every step.
    const later = steps.slice(steps.indexOf("timer"));
    expect(later.length).toBeGreaterThan(6);
    for (const [i, step] of later.entries()) if (step.length === 1) expect(later[i - 1], steps.join()).toBe("timer");
  });

  test("end with the signal's reason within a step, and so do the steps", async () => {
    const steps: string[] = [];
    const reason = new Error("enough");
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason));
    await expect(withPauses(slow(100, steps, "a"), controller.signal)).rejects.toBe(reason);
    expect(steps.length).toBeLessThan(10);
    expect(steps.at(-1)).toBe("a ends");
  });

  test("are no longer than they have to be where the work is short", async () => {
    const pause = pauses(undefined);
    let turns = 0;
    const immediate = setImmediate(() => turns++);
    for (let i = 0; i < 100; i++) await pause();
    clearImmediate(immediate);
    expect(turns).toBe(0);
    await nextTurn();
  });
});

test("what a context is asked for at once is done in order, as if each had been awaited", async () => {
  const model = randomModel("reference", shape);
  using expected = new Context(model);
  const results = [
    await expected.append([1, 2]),
    ...(await expected.branch([[3], [4, 5]])),
    await expected.append([6]),
  ];
  using context = new Context(model);
  const [first, branches, last] = await Promise.all([
    context.append([1, 2]),
    context.branch([[3], [4, 5]]),
    context.append([6]),
    expect(context.append([50])).rejects.toThrow(RangeError),
    Promise.resolve().then(() => expect(() => context.truncate(0)).toThrow("the context is in use")),
  ]);
  expect([first, ...branches, last]).toEqual(results);
  expect(context.ids).toEqual([1, 2, 6]);
  context.truncate(1);
  expect(context.ids).toEqual([1]);
});
