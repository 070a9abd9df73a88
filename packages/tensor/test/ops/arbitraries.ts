import fc from "fast-check";
import type { DType } from "../../src/dtype.ts";
import { sizeOf } from "../../src/shape.ts";
import type { Operand, ViewStep } from "./operands.ts";

/** What elements are drawn from. */
export type Fill =
  | "moderate"
  | "special"
  | "wide"
  | "nearOne"
  | "positive"
  | "small"
  | "whole"
  | "any"
  | { below: number };

/** Sizes around the widths that vector kernels handle at a time, and the degenerate ones. */
const dim = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9) },
  { weight: 2, arbitrary: fc.constantFrom(15, 16, 17, 33) },
  { weight: 1, arbitrary: fc.constant(0) },
);

const MOST_ELEMENTS = 512;

/** A shape of at most 512 elements. */
export function shapes(minRank = 0, maxRank = 4): fc.Arbitrary<number[]> {
  return fc.array(dim, { minLength: minRank, maxLength: maxRank }).map((dims) => {
    let size = 1;
    return dims.map((d) => {
      const kept = size * d <= MOST_ELEMENTS ? d : 1;
      size *= Math.max(kept, 1);
      return kept;
    });
  });
}

/** Whether a shape has no size 0. */
export function isFull(shape: readonly number[]): boolean {
  return !shape.includes(0);
}

/** An operand of a shape with some layout: any order of axes in memory, gaps, offsets, stretched axes. */
export function operand(
  shape: readonly number[],
  dtype: DType = "float32",
  ...fills: readonly Fill[]
): fc.Arbitrary<Operand> {
  const perAxis = <T>(arbitrary: fc.Arbitrary<T>) =>
    fc.array(arbitrary, { minLength: shape.length, maxLength: shape.length });
  const axes = shape.map((_, axis) => axis);
  return fc
    .record({
      seed: fc.nat(),
      fill: fc.constantFrom(...(fills.length > 0 ? fills : (["moderate"] as const))),
      rowMajor: fc.boolean(),
      order: fc.shuffledSubarray(axes, { minLength: axes.length, maxLength: axes.length }),
      gaps: perAxis(fc.record({ before: fc.constantFrom(0, 0, 1, 3), step: fc.constantFrom(1, 1, 2) })),
      stretched: perAxis(fc.constantFrom(false, false, false, true)),
    })
    .map(({ seed, fill, rowMajor, order, gaps, stretched }) => {
      if (rowMajor) return filled(shape, dtype, fill, seed);
      const stored = axes.map((axis) => (stretched[axis] ? 1 : gaps[axis]!.before + shape[axis]! * gaps[axis]!.step));
      const views: ViewStep[] = [["permute", axes.map((axis) => order.indexOf(axis))]];
      for (const axis of axes) {
        const { before, step } = gaps[axis]!;
        if (!stretched[axis]) views.push(["slice", axis, before, before + shape[axis]! * step, step]);
      }
      if (stretched.includes(true)) views.push(["expand", shape]);
      return {
        ...filled(
          order.map((axis) => stored[axis]!),
          dtype,
          fill,
          seed,
        ),
        views,
      };
    });
}

function filled(shape: readonly number[], dtype: DType, fill: Fill, seed: number): Operand {
  const random = mulberry32(seed);
  const draw = dtype === "bool" ? () => Number(random() < 0.5) : drawing(dtype, fill);
  return { dtype, shape, data: Array.from({ length: sizeOf(shape) }, () => draw(random)) };
}

const specials = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 1e-40, -1e-45, 3.4e38, -3.4e38];
const pick = <T>(from: readonly T[], random: () => number): T => from[Math.floor(random() * from.length)]!;
const sign = (random: () => number): number => (random() < 0.5 ? -1 : 1);

function drawing(dtype: DType, fill: Fill): (random: () => number) => number {
  if (typeof fill === "object") return (random) => Math.floor(random() * fill.below);
  if (dtype === "uint8") return (random) => Math.floor(random() * 256);
  if (dtype === "int32") {
    const most = fill === "any" ? 2 ** 32 : 8;
    return (random) => Math.floor(random() * most - most / 2);
  }
  switch (fill) {
    case "moderate":
    case "any":
      return (random) => Math.fround(8 * random() - 4);
    case "small":
      return (random) => Math.fround(2 * random() - 1);
    case "positive":
      return (random) => Math.fround(4 * random() + 2 ** -10);
    case "nearOne":
      return (random) => Math.fround(sign(random) * (0.75 + 0.6 * random()));
    case "whole":
      return (random) => Math.floor(random() * 9) - 4;
    case "wide":
      return (random) => Math.fround(sign(random) * (1 + random()) * 2 ** Math.floor(random() * 270 - 145));
    case "special":
      return (random) => (random() < 0.2 ? pick(specials, random) : Math.fround(8 * random() - 4));
  }
}

/** A small generator of numbers in [0, 1), so that a counterexample is a seed and a shape. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Shapes that broadcast against each other: each is cut from the front, and has some sizes set to one. */
export function broadcastable(count: number): fc.Arbitrary<number[][]> {
  return shapes().chain((shape) =>
    fc.array(
      fc
        .record({
          dropped: fc.nat({ max: shape.length }),
          ones: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        })
        .map(({ dropped, ones }) =>
          shape.slice(Math.max(0, dropped - 1)).map((size, axis) => (ones[axis] && axis % 2 === 0 ? 1 : size)),
        ),
      { minLength: count, maxLength: count },
    ),
  );
}
