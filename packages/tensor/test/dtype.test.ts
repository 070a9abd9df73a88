import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DType, expectHeld, holds, newData } from "../src/dtype.ts";
import { DTypeError } from "../src/errors.ts";

const dtypes: readonly DType[] = ["float32", "int32", "uint8", "bool"];

describe("holds", () => {
  it("says for integer types whether storing a number keeps it", () => {
    const numbers = fc.oneof(
      fc.double(),
      fc.integer({ min: -300, max: 300 }),
      fc.integer(),
      fc.constantFrom(2 ** 31, -(2 ** 31) - 1),
    );
    fc.assert(
      fc.property(fc.constantFrom<DType>("int32", "uint8"), numbers, (dtype, value) => {
        const data = newData(dtype, 1);
        data[0] = value;
        expect(holds(dtype, value)).toBe(data[0] === value);
      }),
      { seed: 2026, numRuns: 1000 },
    );
  });

  it("gives bool 0 and 1, and float32 every number", () => {
    expect([0, -0, 1, 2, -1, 0.5, Number.NaN].map((value) => holds("bool", value))).toEqual([
      ...[true, true, true],
      ...[false, false, false, false],
    ]);
    for (const value of [0.1, 1e300, -Infinity, Number.NaN]) expect(holds("float32", value)).toBe(true);
  });
});

describe("expectHeld", () => {
  it("throws an error that names the type, the number, the range and cast", () => {
    for (const dtype of dtypes) expect(() => expectHeld("mul", dtype, 1)).not.toThrow();
    expect(() => expectHeld("mul", "uint8", 0.5)).toThrow(
      new DTypeError(
        "mul",
        'uint8 cannot hold 0.5, only integers from 0 to 255; use float32, and cast("uint8") to convert',
      ),
    );
  });
});
