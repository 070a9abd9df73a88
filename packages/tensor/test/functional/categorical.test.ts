import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import "../../src/methods/index.ts";
import {
  categorical,
  createWasmBackend,
  device,
  fromData,
  Generator,
  randn,
  type Tensor,
  tensor,
} from "../../src/index.ts";

const reference = device("reference");
const plain = createWasmBackend({ threads: 1, deterministic: true });
const wasm = createWasmBackend({ threads: 2 });
afterAll(() => {
  plain.dispose();
  wasm.dispose();
});

const logit = fc.oneof(
  { weight: 6, arbitrary: fc.double({ min: -12, max: 12, noNaN: true }) },
  { weight: 3, arbitrary: fc.double({ min: -800, max: 0, noNaN: true }) }, // down to where e^x is subnormal, and 0
  { weight: 1, arbitrary: fc.constantFrom(0, -0, Number.NEGATIVE_INFINITY) },
);
const rows = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 70 }))
  .chain(([R, N]) => fc.tuple(fc.constant([R, N] as const), fc.array(logit, { minLength: R * N, maxLength: R * N })));
const temperature = fc.oneof(fc.constant(1), fc.double({ min: 0.01, max: 9, noNaN: true }));
/** A generator whose every number is this one. */
const always = (uniform: number) => Object.assign(new Generator(1), { uniform: () => uniform });
const values = (x: Tensor<readonly number[], "int32">) => [...x.dataSync()];

describe("categorical", () => {
  it("draws the same on every device that computes here, from views of any stride too", () => {
    fc.assert(
      fc.property(rows, temperature, fc.nat(), fc.boolean(), ([[R, N], data], temperature, seed, transposed) => {
        const drawn = [reference, plain, wasm].map((device) => {
          const logits = transposed
            ? fromData(data, [N, R], { device }).transpose(0, 1)
            : fromData(data, [R, N], { device });
          return values(categorical(logits as Tensor<[number, number]>, { seed, temperature }));
        });
        expect(drawn[1]).toEqual(drawn[0]);
        expect(drawn[2]).toEqual(drawn[0]);
      }),
      { numRuns: 300 },
    );
  });

  it.each([reference, wasm])("draws each index as often as softmax says, on %s", (device) => {
    const logits = tensor([0, Math.log(2), Number.NEGATIVE_INFINITY, Math.log(5)], { device }).expand([4000, 4]);
    const drawn = values(categorical(logits, { seed: 1 }));
    const count = (id: number) => drawn.filter((one) => one === id).length;
    // Within five standard deviations, √(n p (1 - p)), of n p.
    expect(Math.abs(count(0) - 500)).toBeLessThan(105);
    expect(Math.abs(count(1) - 1000)).toBeLessThan(137);
    expect(count(2)).toBe(0);
    const cold = values(categorical(logits, { seed: 1, temperature: 0.01 }));
    expect(new Set(cold)).toEqual(new Set([3]));
  });

  it.each([reference, wasm])("takes the first index whose running sum exceeds the uniform number, on %s", (device) => {
    const of = (uniform: number) => categorical(tensor([0, 0, 0, 0], { device }), { seed: always(uniform) }).itemSync();
    expect([0, 0.2499, 0.25, 0.5, 0.75, 0.9999].map(of)).toEqual([0, 0, 1, 2, 3, 3]);
  });

  it.each([reference, wasm])("has -1 for a row without a distribution, on %s", (device) => {
    const none = Number.NEGATIVE_INFINITY;
    const logits = tensor([[0, NaN, 1], [none, none, none], [0, Infinity, 0], [none, 0, none]], { device }); // biome-ignore format: rows
    expect(values(categorical(logits, { seed: 1 }))).toEqual([-1, -1, -1, 1]);
  });

  it("takes one number a row from a generator, and keeps the other axes", () => {
    const generator = new Generator(3);
    const drawn = categorical(randn([2, 3, 8], { seed: 1 }), { seed: generator });
    expect(drawn.shape).toEqual([2, 3]);
    const other = new Generator(3);
    for (let i = 0; i < 6; i++) other.uniform();
    expect(generator.uniform()).toBe(other.uniform());
    expect(categorical(tensor([1, 2]), { seed: 1 }).shape).toEqual([]);
    expect(tensor([1, 2]).categorical({ seed: 1 }).itemSync()).toBe(
      categorical(tensor([1, 2]), { seed: 1 }).itemSync(),
    );
  });

  it.each([reference, wasm])(
    "draws for each row what its generator and temperature draw for it alone, on %s",
    (device) => {
      fc.assert(
        fc.property(
          rows,
          fc.array(temperature, { minLength: 5, maxLength: 5 }),
          fc.nat(),
          ([[R, N], data], hot, seed) => {
            const logits = fromData(data, [R, N], { device });
            const generators = () => Array.from({ length: R }, (_, row) => new Generator(seed + row));
            const ours = generators();
            const drawn = values(categorical(logits, { seed: ours, temperature: hot.slice(0, R) }));
            const theirs = generators();
            for (const [row, generator] of theirs.entries()) {
              const alone = categorical(logits.slice(0, row, row + 1), { seed: generator, temperature: hot[row]! });
              expect(drawn[row]).toBe(alone.itemSync());
              expect(ours[row]!.uniform()).toBe(generator.uniform());
            }
            const seeds = generators().map((_, row) => seed + row);
            expect(values(categorical(logits, { seed: seeds, temperature: hot.slice(0, R) }))).toEqual(drawn);
          },
        ),
      );
    },
  );

  it("refuses what it cannot draw from", () => {
    const logits = tensor([1, 2]);
    for (const temperature of [0, -1, NaN, Infinity]) {
      expect(() => categorical(logits, { seed: 1, temperature })).toThrow(
        /temperature: expected a finite number above 0/,
      );
    }
    expect(() => categorical(fromData([], [2, 0]), { seed: 1 })).toThrow(/expected rows to draw from, got \[2, 0\]/);
    expect(() => categorical(tensor(1) as unknown as Tensor<[number]>, { seed: 1 })).toThrow(
      /expected rows to draw from/,
    );
    expect(() => categorical(logits, { seed: 1, topK: 3 } as never)).toThrow(/topK/);
    expect(() => categorical(logits, {} as never)).toThrow(/expected options with a seed/);
    const generators = [new Generator(1), new Generator(2)];
    expect(() => categorical(logits, { seed: generators })).toThrow(/seed: expected one for each of 1 rows, got 2/);
    expect(() => categorical(logits, { seed: 1, temperature: [] })).toThrow(
      /temperature: expected one .* 1 rows, got 0/,
    );
    expect(() => categorical(logits, { seed: 1, temperature: [0] })).toThrow(/temperature: expected a finite number/);
    expect(() => categorical(logits, { seed: ["3"] as never })).toThrow(/expected options with a seed/);
    expect(() => categorical(tensor([1, 2], { dtype: "int32" }) as never, { seed: 1 })).toThrow(/float32/);
  });
});
