import { expect } from "vitest";
import type { JsonNumber, Values } from "./operands.ts";

/** How far a float32 result may lie from the expected one. */
export interface Tolerance {
  /** In units of the last place of float32. 0 asks for the same number, sign of zero included… */
  readonly ulps: number;
  /** … unless 0 may come with either sign. */
  readonly anyZero?: boolean;
  /** Added to that. */
  readonly abs?: number;
}

/** Asserts shapes, element types and elements; integers and bools must be equal. */
export function expectValues(
  actual: readonly Values[],
  expected: readonly {
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly data: readonly JsonNumber[];
  }[],
  tolerance: Tolerance,
  context = "",
): void {
  expect(actual.map(({ dtype, shape }) => ({ dtype, shape }))).toEqual(
    expected.map(({ dtype, shape }) => ({ dtype, shape })),
  );
  for (const [n, { dtype, shape, data }] of actual.entries()) {
    const agrees = dtype === "float32" ? isClose : Object.is;
    const wrong = data.flatMap((value, i) => {
      const wanted = Number(expected[n]!.data[i]);
      return agrees(value, wanted, tolerance) ? [] : [`[${i}] ${value}, not ${wanted}`];
    });
    if (wrong.length > 0) {
      expect.fail(
        `${wrong.length} of ${data.length} elements of ${dtype} [${shape}] differ ${context}: ${wrong.slice(0, 5).join("; ")}`,
      );
    }
  }
}

function isClose(actual: number, expected: number, { ulps, abs = 0, anyZero = false }: Tolerance): boolean {
  if (ulps === 0) return Object.is(actual, Math.fround(expected)) || (anyZero && actual === 0 && expected === 0);
  if (actual === Math.fround(expected) || (Number.isNaN(actual) && Number.isNaN(expected))) return true;
  // Rounding may carry the largest numbers over into infinity.
  if (!Number.isFinite(actual)) return Math.sign(actual) * expected > 3.4028e38;
  return Math.abs(actual - expected) <= ulps * float32Ulp(expected) + abs;
}

/** The distance between neighbouring float32 numbers around x. */
export function float32Ulp(x: number): number {
  const size = Math.abs(Math.fround(x));
  if (!(size >= 2 ** -126)) return 2 ** -149;
  return 2 ** (Math.floor(Math.log2(size)) - 23);
}
