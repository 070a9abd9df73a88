import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import * as gt from "../../src/index.ts";
import { describeOnGpu } from "./modes.ts";

type Any = gt.AnyTensor;

const reference = gt.device("reference");

/** The largest distance from the reference that float32 sums of so many products of normal numbers may have. */
const bound = (terms: number) => 1e-5 * Math.sqrt(terms);

async function expectClose(actual: Any, expected: Any, terms: number): Promise<void> {
  expect(actual.shape).toEqual(expected.shape);
  const [got, want] = [await actual.contiguous().data(), await expected.contiguous().data()];
  expect(got.length).toBe(want.length);
  got.forEach((value, i) => {
    if (!(Math.abs(value - want[i]!) <= bound(terms))) expect.fail(`element ${i} is ${value} instead of ${want[i]}`);
  });
}

const size = fc.integer({ min: 1, max: 21 });
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const runs = { numRuns: 40 };

await describeOnGpu("matmul", (device) => {
  /** The same random numbers on the GPU and on the reference device. */
  const both = (shape: readonly number[], seed: gt.Generator): readonly [Any, Any] => {
    const there: Any = gt.randn(shape as number[], { seed, device: reference });
    return [there.to(device), there];
  };
  const turned = (matrix: Any, turn: boolean): Any => (turn ? matrix.transpose() : matrix);
  const times = (a: Any, b: Any): Any => (a as gt.Tensor).matmul(b as never) as Any;

  beforeEach(() => device.fallbacks.clear());
  const expectNoFallback = (): void => expect(device.fallbacks.entries()).toEqual([]);

  test("multiplies matrices of any size, each as it lies or transposed", async () => {
    await fc.assert(
      fc.asyncProperty(size, size, size, fc.boolean(), fc.boolean(), seeds, async (M, K, N, turnA, turnB, seed) => {
        const random = new gt.Generator(seed);
        const [a, a64] = both(turnA ? [K, M] : [M, K], random);
        const [b, b64] = both(turnB ? [N, K] : [K, N], random);
        await expectClose(times(turned(a, turnA), turned(b, turnB)), times(turned(a64, turnA), turned(b64, turnB)), K);
      }),
      runs,
    );
    expectNoFallback();
  });

  test("multiplies stacks of matrices, whichever axes are stretched, moved or cut", async () => {
    const dims = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }));
    const one = fc.constantFrom(...(["none", "first", "second", "both"] as const));
    await fc.assert(
      fc.asyncProperty(dims, one, one, size, size, size, seeds, async ([B, H], oneA, oneB, M, K, N, seed) => {
        const random = new gt.Generator(seed);
        const batch = (what: string): number[] => [
          what === "first" || what === "both" ? 1 : B,
          what === "second" || what === "both" ? 1 : H,
        ];
        const [b0, h0] = batch(oneA) as [number, number];
        // As attention has it: heads beside each other in a row, moved to the front; the last row cut off.
        const [a, a64] = both([b0, M + 1, h0, K], random);
        const [b, b64] = both([...batch(oneB), K, N], random);
        const left = (x: Any): Any => x.permute([0, 2, 1, 3]).slice(2, 0, M);
        await expectClose(times(left(a), b), times(left(a64), b64), K);
      }),
      runs,
    );
    expectNoFallback();
  });

  test("multiplies vectors", async () => {
    const random = new gt.Generator(1);
    const [v, v64] = both([37], random);
    const [m, m64] = both([37, 11], random);
    await expectClose(times(v, m), times(v64, m64), 37);
    await expectClose(times(m.transpose(), v), times(m64.transpose(), v64), 37);
    await expectClose(times(v, v), times(v64, v64), 37);
    expectNoFallback();
  });

  test.each([
    { what: "a prompt's logits, over an odd vocabulary", M: 7, K: 96, N: 203, turn: true },
    { what: "one token's logits, over an odd vocabulary", M: 1, K: 96, N: 203, turn: true },
    { what: "one row with a prime number of terms", M: 1, K: 131, N: 64, turn: false },
    { what: "one row by one column", M: 1, K: 256, N: 1, turn: false },
    { what: "sums of more than a thousand terms", M: 5, K: 1027, N: 8, turn: false },
    { what: "more rows than columns", M: 300, K: 3, N: 2, turn: false },
  ])("multiplies $what", async ({ M, K, N, turn }) => {
    const random = new gt.Generator(M + K + N);
    const [a, a64] = both([M, K], random);
    const [b, b64] = both(turn ? [N, K] : [K, N], random);
    await expectClose(times(a, turned(b, turn)), times(a64, turned(b64, turn)), K);
    expectNoFallback();
  });

  test("adds the bias and applies GELU at the end", async () => {
    const activations = fc.constantFrom("none" as const, "gelu" as const);
    await fc.assert(
      fc.asyncProperty(
        size,
        size,
        size,
        fc.boolean(),
        activations,
        seeds,
        async (M, K, N, biased, activation, seed) => {
          const random = new gt.Generator(seed);
          const [x, x64] = both([M, K + 2], random);
          const [w, w64] = both([K, N], random);
          const [bias, bias64] = both([N + 3], random);
          const run = (x: Any, w: Any, bias: Any): Any =>
            gt.linear(
              x.slice(1, 1, K + 1) as never,
              w as never,
              (biased ? bias.slice(0, 3, N + 3) : undefined) as never,
              { activation },
            ) as Any;
          await expectClose(run(x, w, bias), run(x64, w64, bias64), K);
        },
      ),
      runs,
    );
    expectNoFallback();
  });

  test("applies GELU to sums however large, in one row and in several", async () => {
    const sums = [-1e30, -1e6, -1000, -30, -5, 0, 5, 30, 1000, 1e6, 1e30, 1];
    for (const rows of [1, sums.length]) {
      const run = async (device: gt.DeviceChoice | typeof reference) => {
        const x = gt.tensor(rows === 1 ? [[1]] : sums.map((sum) => [sum]), { device });
        const w = gt.tensor(rows === 1 ? [sums] : [[1, 1, 1, 1]], { device });
        return (gt.linear(x as never, w as never, undefined, { activation: "gelu" }) as Any).data();
      };
      const want = await run(reference);
      (await run(device)).forEach((value, i) => {
        expect(Math.abs(value - want[i]!)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(want[i]!)));
      });
    }
  });

  test("takes one launch, a row on a GPU two", async () => {
    const random = new gt.Generator(2);
    const [w] = both([32, 48], random);
    const launches = async (rows: number): Promise<number> => {
      const [x] = both([rows, 32], random);
      const before = device.info().launches;
      await times(x, w).data();
      return device.info().launches - before;
    };
    expect(await launches(3)).toBe(1);
    expect(await launches(1)).toBe(device.info().mode === "webgpu" ? 2 : 1);
  });
});
