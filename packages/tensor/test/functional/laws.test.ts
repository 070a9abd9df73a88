import fc from "fast-check";
import { expect, it } from "vitest";
import {
  type AnyTensor,
  arange,
  concat,
  diag,
  diagonal,
  einsum,
  flip,
  fromData,
  type Generator,
  histogram,
  maskedSelect,
  matmul,
  median,
  mod,
  multinomial,
  nonzero,
  norm,
  oneHot,
  pad,
  randPerm,
  repeatInterleave,
  roll,
  type Shape,
  sort,
  std,
  sub,
  type Tensor,
  tensor,
  tile,
  truncDiv,
  unfold,
  unique,
  variance,
} from "../../src/index.ts";
import { describeOnEveryBackend } from "../backends.ts";

const runs = { seed: 2026, numRuns: 30 };

describeOnEveryBackend("functions obey their laws", (device) => {
  const make = (data: readonly number[], shape: Shape): Tensor => fromData(data, shape, { device });
  const integers = (data: readonly number[]): Tensor<[number], "int32"> =>
    fromData(data, [data.length], { dtype: "int32", device }) as Tensor<[number], "int32">;
  const values = (x: AnyTensor): number[] => [...x.dataSync()];
  const small = fc.integer({ min: -50, max: 50 });
  const vector = (minLength = 1) => fc.array(small, { minLength, maxLength: 40 });
  const matrix = fc
    .record({ rows: fc.integer({ min: 1, max: 6 }), columns: fc.integer({ min: 1, max: 6 }) })
    .chain(({ rows, columns }) =>
      fc
        .array(small, { minLength: rows * columns, maxLength: rows * columns })
        .map((data) => make(data, [rows, columns])),
    );
  const holds = <T>(arbitrary: fc.Arbitrary<T>, law: (value: T) => void) =>
    fc.assert(fc.property(arbitrary, law), runs);
  const near = (a: AnyTensor, b: AnyTensor, within: number) => {
    expect(a.shape).toEqual(b.shape);
    const expected = values(b);
    for (const [i, value] of values(a).entries()) expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(within);
  };

  it("flipping twice changes nothing, and neither does rolling there and back", () => {
    holds(fc.tuple(matrix, fc.integer({ min: -9, max: 9 }), fc.constantFrom(0, 1, -1)), ([x, shift, axis]) => {
      expect(values(flip(flip(x, axis), axis))).toEqual(values(x));
      expect(values(roll(roll(x, shift, axis), -shift, axis))).toEqual(values(x));
      expect(values(roll(roll(x, shift), -shift))).toEqual(values(x));
    });
  });

  it("what was padded is inside, and the sum stays", () => {
    holds(fc.tuple(matrix, fc.nat({ max: 3 }), fc.nat({ max: 3 })), ([x, before, after]) => {
      const padded = pad(x, [[before, after], [after, before]]); // biome-ignore format: pairs
      const inner = padded.slice(0, before, before + x.shape[0]!).slice(1, after, after + x.shape[1]!);
      expect(values(inner)).toEqual(values(x));
      expect(padded.sum().itemSync()).toBe(x.sum().itemSync());
    });
  });

  it("tiles are copies side by side; repeated slices are equal neighbours", () => {
    holds(fc.tuple(matrix, fc.integer({ min: 1, max: 3 })), ([x, times]) => {
      expect(values(tile(x, [1, times]))).toEqual(values(concat(Array<Tensor>(times).fill(x), 1)));
      expect(
        values(
          repeatInterleave(x, times, 0)
            .reshape([x.shape[0]!, times, x.shape[1]!])
            .select(1, times - 1),
        ),
      ).toEqual(values(x));
    });
  });

  it("the diagonal of a diagonal matrix is its vector, on any diagonal", () => {
    holds(fc.tuple(vector(), fc.integer({ min: -5, max: 5 })), ([data, offset]) => {
      const square = diag(make(data, [data.length]), offset);
      expect(values(diagonal(square, offset))).toEqual(data);
      expect(values(square).filter((value) => value !== 0)).toEqual(data.filter((value) => value !== 0));
    });
  });

  it("windows overlap as a loop would cut them", () => {
    holds(fc.tuple(vector(4), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 })), ([data, size, step]) => {
      const expected: number[][] = [];
      for (let i = 0; i + size <= data.length; i += step) expected.push(data.slice(i, i + size));
      expect(unfold(make(data, [data.length]), 0, size, step).toListSync()).toEqual(expected);
    });
  });

  it("division leaves a rest with the divisor's sign: a = q·b + r", () => {
    holds(
      fc.tuple(
        small,
        small.filter((b) => b !== 0),
      ),
      ([a, b]) => {
        const rest = mod(integers([a]), b).itemSync();
        expect(rest).toBe(mod(make([a], [1]), b).itemSync() + 0);
        expect(Math.abs(rest)).toBeLessThan(Math.abs(b));
        expect(rest * b).toBeGreaterThanOrEqual(0);
        expect(
          truncDiv(sub(integers([a]), rest), b)
            .mul(b)
            .add(rest)
            .itemSync(),
        ).toBe(a);
      },
    );
  });

  it("variance does not see a shift, and grows with the square of a scale", () => {
    holds(fc.tuple(vector(2), small, fc.integer({ min: -4, max: 4 })), ([data, shift, scale]) => {
      const x = make(data, [data.length]);
      near(variance(x.add(shift)), variance(x), 1e-2);
      near(std(x.mul(scale)), std(x).mul(Math.abs(scale)), 1e-3);
      near(norm(x.mul(scale)), norm(x).mul(Math.abs(scale)), 1e-2);
    });
  });

  it("the median is an element with no more than half of them on either side", () => {
    holds(vector(), (data) => {
      const middle = median(make(data, [data.length])).itemSync();
      expect(data).toContain(middle);
      expect(data.filter((value) => value < middle).length).toBeLessThanOrEqual((data.length - 1) / 2);
      expect(data.filter((value) => value > middle).length).toBeLessThanOrEqual(data.length / 2);
    });
  });

  it("einsum of a product of matrices is matmul, of its transpose the transpose", () => {
    holds(fc.tuple(matrix, matrix), ([a, b]) => {
      const right = b
        .reshape([-1])
        .slice(0, 0, 1)
        .expand([a.shape[1]!, 1])
        .mul(a.T.slice(1, 0, 1));
      expect(values(einsum("ij,jk->ik", a, right))).toEqual(values(matmul(a, right)));
      expect(values(einsum("ij,jk->ki", a, right))).toEqual(values(matmul(a, right).T));
    });
  });

  it("one-hot rows have one 1, where argMax finds it", () => {
    holds(fc.array(fc.nat({ max: 6 }), { maxLength: 20 }), (ids) => {
      const rows = oneHot(integers(ids), 7);
      expect(rows.shape).toEqual([ids.length, 7]);
      expect(values(rows.argMax(-1))).toEqual(ids);
      expect(values(rows.sum(-1))).toEqual(ids.map(() => 1));
    });
  });

  it("bins count as comparing with their edges does", () => {
    holds(fc.tuple(vector(), fc.integer({ min: 1, max: 9 }), fc.boolean()), ([data, bins, ranged]) => {
      const x = make(data, [data.length]).div(7);
      const { counts, edges } = histogram(x, bins, ranged ? { range: [-3, 2.5] } : {});
      const [found, bounds] = [values(x), values(edges)];
      const expected = bounds.slice(0, -1).map((low, bin) => {
        const high = bounds[bin + 1]!;
        return found.filter((v) => v >= low && (v < high || (bin === bins - 1 && v === high))).length;
      });
      expect(values(counts)).toEqual(expected);
      if (!ranged) expect(counts.sum().itemSync()).toBe(data.length);
    });
  });

  it("what is selected, counted and found are the elements themselves", async () => {
    await fc.assert(
      fc.asyncProperty(matrix, async (x) => {
        const data = values(x);
        expect(values(await maskedSelect(x, x.gt(3)))).toEqual(data.filter((value) => value > 3));
        expect((await nonzero(x)).shape).toEqual([x.ne(0).sum().itemSync(), 2]);
        const { values: found, counts, inverse } = await unique(x);
        expect(values(found)).toEqual([...new Set(data)].sort((a, b) => a - b));
        expect(values(found.gather(0, inverse.flatten()))).toEqual(data);
        expect(counts.sum().itemSync()).toBe(data.length);
      }),
      runs,
    );
  });

  it("a permutation has each index once, and its seed's order everywhere", () => {
    holds(fc.tuple(fc.nat({ max: 60 }), fc.nat()), ([n, seed]) => {
      const order = randPerm(n, { seed, device });
      expect(values(sort(order).values)).toEqual(values(arange(0, n, 1, { dtype: "int32" })));
      expect(values(order)).toEqual(values(randPerm(n, { seed })));
    });
  });

  it("draws follow their probabilities, and without replacement none comes twice", () => {
    const p = tensor([1, 2, 0, 5], { device });
    const drawn = values(multinomial(p, 4000, { seed: 1, replacement: true }));
    const counts = [0, 1, 2, 3].map((id) => drawn.filter((one) => one === id).length);
    // Within five standard deviations, √(n p (1 - p)), of n p.
    expect(Math.abs(counts[0]! - 500)).toBeLessThan(105);
    expect(Math.abs(counts[1]! - 1000)).toBeLessThan(137);
    expect(counts[2]).toBe(0);
    for (let seed = 0; seed < 50; seed++) {
      const three = values(multinomial(p, 3, { seed }));
      expect(three.toSorted()).toEqual([0, 1, 3]);
    }
    const zeros = { uint32: () => 0 } as unknown as Generator; // the least numbers there are
    expect(values(multinomial(tensor([0, 3, 0], { device }), 1, { seed: zeros }))).toEqual([1]);
    const rows = multinomial(tensor([[1, 0], [0, 1]], { device }), 1, { seed: 3 }); // biome-ignore format: rows
    expect(rows.toListSync()).toEqual([[0], [1]]);
  });
});
