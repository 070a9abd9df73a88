import { createWasmBackend, embedding, keep, type Tensor, tidy, zeros } from "@gpt2-ts/tensor";
import { afterAll, describe, expect, test } from "vitest";

const device = createWasmBackend({ threads: 1 });
afterAll(() => device.dispose());
const used = (): number => device.info().usedBytes;
const make = (): Tensor<[1000]> => zeros([1000], { device });

describe("tidy", () => {
  test("frees what it made and keeps what it returns, however deep", () => {
    const before = used();
    const { list } = tidy(() => {
      const kept = make();
      make().add(make()).mul(2);
      return { list: [new Map([["a", kept]])] };
    });
    const kept = list[0]!.get("a")!;
    expect(kept.disposed).toBe(false);
    expect(used() - before).toBeGreaterThanOrEqual(4000);
    expect(used() - before).toBeLessThan(8000);
    kept.dispose();
    expect(used()).toBe(before);
  });

  test("hands its result to the tidy around it", () => {
    const before = used();
    tidy(() => {
      const inner = tidy(() => make().add(1));
      expect(inner.disposed).toBe(false);
    });
    expect(used()).toBe(before);
  });

  test("keeps the memory of a view that it returns", () => {
    const before = used();
    const view = tidy(() => make().reshape([10, 100]).transpose());
    expect(view.shape).toEqual([100, 10]);
    expect(view.dataSync()).toHaveLength(1000);
    view.dispose();
    expect(used()).toBe(before);
  });

  test("frees everything when the function throws", () => {
    const before = used();
    expect(() =>
      tidy(() => {
        make();
        throw new Error("halfway");
      }),
    ).toThrow("halfway");
    expect(used()).toBe(before);
  });

  test("does not free what keep took out, nor what was made before", () => {
    const before = used();
    const earlier = make();
    let kept: Tensor | undefined;
    tidy(() => {
      kept = keep(make());
      earlier.add(1);
    });
    expect([earlier.disposed, kept!.disposed]).toEqual([false, false]);
    earlier.dispose();
    kept!.dispose();
    expect(used()).toBe(before);
  });

  test("refuses an asynchronous function", () => {
    expect(() => tidy(async () => make())).toThrow(/synchronous/);
  });
});

describe("dispose", () => {
  test("frees memory once, when the last view is gone", () => {
    const before = used();
    const tensor = make();
    const view = tensor.slice(0, 10, 20);
    tensor.dispose();
    tensor.dispose();
    expect(used()).toBeGreaterThan(before);
    expect([...view.dataSync()]).toEqual(new Array(10).fill(0));
    view.dispose();
    expect(used()).toBe(before);
  });

  test("happens at the end of a block with using", () => {
    const before = used();
    {
      using tensor = make();
      expect(tensor.size).toBe(1000);
    }
    expect(used()).toBe(before);
  });

  test("makes every later use an error", async () => {
    const tensor = make();
    const other = make();
    tensor.dispose();
    expect(() => tensor.add(1)).toThrow(/disposed/);
    expect(() => other.add(tensor)).toThrow(/disposed/);
    expect(() => tensor.dataSync()).toThrow(/disposed/);
    await expect(tensor.data()).rejects.toThrow(/disposed/);
    expect(`${tensor}`).toBe("Tensor float32 [1000] (disposed)");
    other.dispose();
  });

  test("waits for data() that is under way", async () => {
    const tensor = make();
    const data = tensor.data();
    tensor.dispose();
    expect(await data).toHaveLength(1000);
  });
});

test("scalar operands leave nothing behind", () => {
  using tensor = make();
  const before = used();
  for (let i = 0; i < 100; i++) tensor.mul(2).dispose();
  expect(used()).toBe(before);
});

test("an op that fails leaves nothing behind", () => {
  using table = zeros([4, 8], { device });
  using ids = zeros([3], { device, dtype: "int32" }).add(4);
  const before = used();
  for (let i = 0; i < 10; i++) expect(() => embedding(table, ids)).toThrow(/4/);
  expect(used()).toBe(before);
});
