import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inOrder } from "../../src/score/in-order.ts";

async function* from<Item>(items: readonly Item[], end?: Error): AsyncGenerator<Item> {
  yield* items;
  if (end) throw end;
}

describe("work that several do", () => {
  it("gives results in the order of the items, and each worker one item at a time", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(3), { maxLength: 30 }),
        fc.integer({ min: 1, max: 5 }),
        async (delays, count) => {
          const workers = Array.from({ length: count }, (_, name) => ({ name, busy: false, worked: 0 }));
          let atOnce = 0;
          const results: string[] = [];
          const work = inOrder(from([...delays.entries()]), workers, async (worker, [i, delay]) => {
            expect(worker.busy).toBe(false);
            worker.busy = true;
            worker.worked++;
            atOnce = Math.max(atOnce, workers.filter(({ busy }) => busy).length);
            for (let turn = 0; turn < delay; turn++) await new Promise(setImmediate);
            worker.busy = false;
            return `item ${i}`;
          });
          for await (const result of work) results.push(result);
          expect(results).toEqual(delays.map((_, i) => `item ${i}`));
          expect(workers.reduce((sum, { worked }) => sum + worked, 0)).toBe(delays.length);
          if (delays.length >= count && delays.every((delay) => delay > 1)) expect(atOnce).toBe(count);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("does not wait for items that have not come with results that are there", async () => {
    let more = (): void => {};
    const items = async function* () {
      yield 1;
      await new Promise<void>((resolve) => {
        more = resolve;
      });
      yield 2;
    };
    const results = inOrder(items(), ["a", "b"], async (_, item) => item);
    expect(await results.next()).toEqual({ done: false, value: 1 });
    more();
    expect(await results.next()).toEqual({ done: false, value: 2 });
    expect((await results.next()).done).toBe(true);
  });

  it("reads no further ahead than a slow worker lets it", async () => {
    let read = 0;
    const items = async function* () {
      for (; read < 1000; read++) yield read;
    };
    const results = inOrder(items(), ["slow", "fast"], async (worker, item) => {
      if (worker === "fast") await sleep(item === 0 ? 50 : 0);
      else await sleep(50);
      return item;
    });
    expect((await results.next()).value).toBe(0);
    expect(read).toBeLessThan(12);
    await results.return();
  });

  it("gives what came before an error, and then throws it", async () => {
    const results: number[] = [];
    const readAll = async (work: AsyncIterable<number>): Promise<void> => {
      for await (const result of work) results.push(result);
    };
    await expect(
      readAll(inOrder(from([1, 2, 3], new Error("no more")), [0, 1], async (_, item) => item)),
    ).rejects.toThrow("no more");
    expect(results).toEqual([1, 2, 3]);
    const fails = inOrder(from([4, 5, 6, 7]), [0, 1, 2], async (_, item) => {
      if (item === 6) throw new Error("not six");
      return item;
    });
    await expect(readAll(fails)).rejects.toThrow("not six");
    expect(results).toEqual([1, 2, 3, 4, 5]);
  });
});
