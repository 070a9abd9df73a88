import fc from "fast-check";
import { isFull, operand, shapes } from "../ops/arbitraries.ts";
import { generators, type Sample } from "../ops/generators.ts";
import type { Operand } from "../ops/operands.ts";
import type { Args } from "../ops/table.ts";

type Samples = fc.Arbitrary<Sample>;

/** Ops without any float result that follows its operands: whole numbers, truths, bytes. */
export const discrete: readonly string[] = [
  ...["eq", "ne", "lt", "le", "gt", "ge", "logicalAnd", "logicalOr", "logicalNot", "isNaN", "any", "all"],
  ...["argMax", "argMin", "truncDiv"],
];

/**
 * A number for an element: `k` is a whole number below {@link GRID}, of its own for each element of an operand, `n` the operand's
 * number among `operands`.
 */
type Place = (k: number, n: number, operands: number) => number;

const GRID = 8192;

/** From −4 to 4, no two alike in all operands, none a multiple of ½: choices and roundings are constant around each. */
const anywhere: Place = (k, n, operands) => (8 * (k + (n + 0.5) / operands)) / GRID - 4 + 1 / (3 * GRID);
const small: Place = (k, n, operands) => anywhere(k, n, operands) / 4;
const positive: Place = (k) => 0.25 + (4 * k) / GRID;
/** One factor of many, or a divisor. */
const nearOne: Place = (k) => (k % 2 === 0 ? 1 : -1) * (0.75 + (0.5 * k) / GRID);

/** Where each op is smooth and its derivatives are of moderate size; {@link anywhere} for those that are not listed. */
const places: Readonly<Record<string, Place>> = {
  pow: (k, n) => (n === 0 ? positive : small)(k, n, 2),
  div: (k, n) => (n === 0 ? anywhere : nearOne)(k, n, 2),
  mod: (k, n) => (n === 0 ? anywhere(k, n, 2) : 6 * nearOne(k, n, 2)), // no quotient is a whole number but near 0
  sqrt: positive,
  rsqrt: positive,
  reciprocal: nearOne,
  log: positive,
  log2: positive,
  log1p: positive,
  prod: nearOne,
  matmul: small,
  linear: small,
  attention: small,
  attentionWeights: small,
  targetLogProbs: small,
};

const withAxes = shapes(1, 4).filter(isFull);
const axisOf = withAxes.chain((shape) => fc.nat({ max: shape.length - 1 }).map((axis) => ({ shape, axis })));

/** Ops that look at memory in another way, and other rows that the tests of values have not. */
const more: Readonly<Record<string, Samples>> = {
  cast: shapes().chain((shape) => of(shape, { dtype: "float32" })),
  reshape: withAxes.chain((shape) => of(shape, { shape: [-1, shape[0]!] })),
  permute: withAxes.chain((shape) =>
    fc
      .shuffledSubarray([...shape.keys()], { minLength: shape.length, maxLength: shape.length })
      .chain((axes) => of(shape, { axes })),
  ),
  transpose: axisOf.chain(({ shape, axis }) => of(shape, { a: axis, b: -1 })),
  slice: fc
    .tuple(axisOf, fc.nat(3), fc.integer({ min: -3, max: 12 }), fc.integer({ min: 1, max: 3 }))
    .chain(([{ shape, axis }, start, end, step]) => of(shape, { axis, start, end, step })),
  select: axisOf.chain(({ shape, axis }) => of(shape, { axis, index: -1 })),
  squeeze: axisOf.chain(({ shape, axis }) => of(shape.with(axis, 1), { axis })),
  unsqueeze: axisOf.chain(({ shape, axis }) => of(shape, { axis })),
  expand: axisOf.chain(({ shape, axis }) => of(shape.with(axis, 1), { shape: [2, ...shape.with(axis, 3)] })),
  split: axisOf.chain(({ shape, axis }) =>
    fc.nat({ max: shape[axis]! }).chain((first) => of(shape, { axis, sizes: [first, shape[axis]! - first] })),
  ),
};

function of(shape: readonly number[], args: Args): Samples {
  return operand(shape).map((x) => ({ inputs: [x], args }));
}

/** For every op that is not {@link discrete}: random shapes, layouts, broadcasts, arguments, and numbers around which it is smooth. */
export const samples: Readonly<Record<string, Samples>> = Object.fromEntries(
  Object.entries({ ...generators, ...more })
    .filter(([op]) => !discrete.includes(op))
    .map(([op, drawn]) => [op, smooth(op, drawn)]),
);

function smooth(op: string, drawn: Samples): Samples {
  const place = places[op] ?? anywhere;
  return fc
    .tuple(
      drawn.filter(({ inputs }) => inputs.every(isSmall) && inputs.some(({ dtype }) => dtype === "float32")),
      fc.nat(),
    )
    .map(([{ inputs, args }, seed]) => ({
      inputs: inputs.map((input, n) =>
        input.dtype === "float32"
          ? { ...input, data: input.data.map((_, i) => place(shuffled(i, seed + n), n, inputs.length)) }
          : input,
      ),
      args,
    }));
}

/** A permutation of the whole numbers below {@link GRID}: a power of two, to which every odd factor is prime. */
function shuffled(i: number, seed: number): number {
  return (Math.imul(i, 2 * seed + 1) + seed) & (GRID - 1);
}

function isSmall({ data }: Operand): boolean {
  return data.length <= GRID;
}
