import fc from "fast-check";
import { expect, it } from "vitest";
import type { View } from "../../src/backends/backend.ts";
import { type DType, holds } from "../../src/dtype.ts";
import { DTypeError } from "../../src/errors.ts";
import { clamp, full, maskedFill, tensor, truncDiv, where } from "../../src/index.ts";
import * as binary from "../../src/ops/binary.ts";
import { maskedFill as fill } from "../../src/ops/indexing.ts";
import { cast } from "../../src/ops/unary.ts";
import { promote } from "../../src/promotion.ts";
import { describeOnEveryBackend } from "../backends.ts";
import { operand } from "./arbitraries.ts";
import { expectValues } from "./compare.ts";
import { generators } from "./generators.ts";
import { evaluate, type Operand, place, valuesOf } from "./operands.ts";
import { calls } from "./table.ts";

const runs = {
  seed: Number(process.env["PROPERTY_SEED"] ?? 2026),
  numRuns: Number(process.env["PROPERTY_RUNS"] ?? 200),
};
const dtypes: readonly DType[] = ["float32", "int32", "uint8", "bool"];
const dtype = fc.constantFrom(...dtypes);

/** Numbers at and around the ends of the element types, fractions, and any others. */
const ends = [0, 1, 2, 255, 256, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 1e300];
const near = fc
  .tuple(fc.constantFrom(...ends, ...ends.map((end) => -end)), fc.constantFrom(0, 0.25, 0.5, 1, -0.5, -1))
  .map(([end, step]) => end + step);
const number = fc.oneof(
  near,
  fc.integer({ min: -9, max: 300 }),
  fc.double(),
  fc.constantFrom(NaN, Infinity, -Infinity),
);

/** Elements of a type, its ends and specials among them. */
function elements(type: DType): fc.Arbitrary<Operand> {
  const element =
    type === "float32"
      ? number.map(Math.fround)
      : type === "int32"
        ? number.map((value) =>
            Number.isNaN(value) ? 0 : Math.trunc(Math.min(Math.max(value, -(2 ** 31)), 2 ** 31 - 1)),
          )
        : fc.integer({ min: 0, max: type === "bool" ? 1 : 255 });
  return fc
    .array(element, { minLength: 1, maxLength: 19 })
    .map((data) => ({ dtype: type, shape: [data.length], data: data.map((value) => value + 0) }));
}

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};
const { eq, ne, lt, le, gt, ge, add, sub, mul, truncDiv: truncated, pow, maximum, minimum } = binary;
const compare: Readonly<Record<string, (a: View, b: binary.Other) => View>> = { eq, ne, lt, le, gt, ge };
const arithmetic = { add, sub, mul, truncDiv: truncated, pow };
const choices = { maximum, minimum };
const withNumber: Readonly<Record<string, (a: View, b: number) => View>> = {
  ...arithmetic,
  ...choices,
  where: (a, b) => binary.where(eq(a, a), b, a),
  maskedFill: (a, b) => fill(a, eq(a, a), b),
};
const numeric = (type: DType): boolean => type === "float32" || type === "int32";

describeOnEveryBackend("element types", (backend) => {
  it("a comparison with any number compares values; only float32 rounds the number first", () => {
    const samples = dtype.chain((type) =>
      fc.tuple(elements(type), number, fc.constantFrom(...Object.keys(comparisons))),
    );
    fc.assert(
      fc.property(samples, ([x, value, op]) => {
        const against = x.dtype === "float32" ? Math.fround(value) : value;
        const [result] = evaluate(backend, [x], ([view]) => compare[op]!(view!, value));
        expect(result!.data, `${op} ${value}`).toEqual(
          x.data.map((each) => Number(comparisons[op]!(Number(each), against))),
        );
      }),
      runs,
    );
  });

  it("a comparison of two element types compares values", () => {
    const samples = fc
      .tuple(dtype, dtype)
      .chain(([a, b]) => fc.tuple(elements(a), elements(b), fc.constantFrom(...Object.keys(comparisons))));
    fc.assert(
      fc.property(samples, ([x, y, op]) => {
        const [result] = evaluate(backend, [{ ...x, shape: [x.data.length, 1] }, y], ([a, b]) => compare[op]!(a!, b!));
        const expected = x.data.flatMap((a) => y.data.map((b) => Number(comparisons[op]!(Number(a), Number(b)))));
        expect(result!.data, op).toEqual(expected);
      }),
      runs,
    );
  });

  it("a number is taken as one of the tensor's type, or refused by an error that names cast", () => {
    const samples = dtype.chain((type) =>
      fc.tuple(elements(type), number, fc.constantFrom(...Object.keys(withNumber))),
    );
    fc.assert(
      fc.property(samples, ([x, value, op]) => {
        const compute = ([view]: View[]): View => withNumber[op]!(view!, value);
        const refused =
          !holds(x.dtype, value) ||
          (op in arithmetic && !numeric(x.dtype)) ||
          (op === "truncDiv" && (x.dtype === "float32" || value === 0)) ||
          (op === "pow" && x.dtype === "int32" && value < 0);
        if (refused) {
          expect(() => evaluate(backend, [x], compute)).toThrow(DTypeError);
          if (!holds(x.dtype, value)) expect(() => evaluate(backend, [x], compute)).toThrow(/cast/);
          return;
        }
        const scalar: Operand = { dtype: x.dtype, shape: [], data: [value] };
        const beside = ([a, b]: View[]): View =>
          op === "where" || op === "maskedFill" ? binary.where(eq(a!, a!), b!, a!) : (calls[op]!([a!, b!], {}) as View);
        expectValues(evaluate(backend, [x], compute), evaluate(backend, [x, scalar], beside), { ulps: 0 });
      }),
      runs,
    );
  });

  it("operands of two types give what their casts to the type where they meet give", () => {
    const ops = { ...arithmetic, ...choices, div: binary.div };
    const samples = fc
      .tuple(dtype, dtype, fc.constantFrom(...(Object.keys(ops) as (keyof typeof ops)[])))
      .filter(([a, b, op]) => op in choices || op === "div" || numeric(promote(a, b)))
      .filter(([a, b, op]) => op !== "truncDiv" || promote(a, b) === "int32")
      .chain(([a, b, op]) => fc.tuple(elements(a), elements(b), fc.constant(op)));
    fc.assert(
      fc.property(samples, ([x, drawn, op]) => {
        const y = op === "truncDiv" ? { ...drawn, data: drawn.data.map((value) => value || 1) } : drawn;
        const type = op === "div" ? "float32" : promote(x.dtype, y.dtype);
        const operands = [{ ...x, shape: [x.data.length, 1] }, y];
        expectValues(
          evaluate(backend, operands, ([a, b]) => ops[op](a!, b!)),
          evaluate(backend, operands, ([a, b]) => ops[op](cast(a!, type), cast(b!, type))),
          { ulps: 0 },
          op,
        );
      }),
      runs,
    );
  });

  it("a bool that an op makes is 0 or 1, whatever it was made from", () => {
    for (const [op, samples] of Object.entries(generators)) {
      fc.assert(
        fc.property(samples, ({ inputs, args }) => {
          for (const { dtype: type, data } of evaluate(backend, inputs, (views) => calls[op]!(views, args))) {
            if (type === "bool")
              expect(
                data.every((value) => value === 0 || value === 1),
                op,
              ).toBe(true);
          }
        }),
        { ...runs, numRuns: 20 },
      );
    }
    const samples = dtype.chain((type) => fc.oneof(elements(type), operand([4, 5], type, "special", "wide", "any")));
    fc.assert(
      fc.property(samples, (x) => {
        const view = place(backend, x);
        const expected = valuesOf(view).data.map((value) => Number(value !== 0));
        expect(evaluate(backend, [x], ([v]) => cast(v!, "bool"))[0]!.data).toEqual(expected);
        view.storage.release();
      }),
      runs,
    );
  });

  it("integers and numbers that they are not", () => {
    const ints = tensor([1, 2, 3], { dtype: "int32", device: backend });
    const bytes = tensor([7, 200], { dtype: "uint8", device: backend });
    expect(ints.eq(1.5).toListSync()).toEqual([false, false, false]);
    expect(ints.ne(1.5).toListSync()).toEqual([true, true, true]);
    expect(ints.ge(1.5).toListSync()).toEqual([false, true, true]);
    expect(ints.lt(2.5).toListSync()).toEqual([true, true, false]);
    expect(ints.lt(Infinity).toListSync()).toEqual([true, true, true]);
    expect(ints.eq(Number.NaN).toListSync()).toEqual([false, false, false]);
    expect(bytes.lt(300).toListSync()).toEqual([true, true]);
    expect(bytes.eq(263).toListSync()).toEqual([false, false]);
    expect(bytes.gt(-1).toListSync()).toEqual([true, true]);
    const message = (op: string, value: number) =>
      `${op}: int32 cannot hold ${value}, only integers from -2147483648 to 2147483647; use float32, and cast("int32") to convert`;
    expect(() => ints.mul(0.5)).toThrow(new DTypeError("mul", message("mul", 0.5).slice(5)));
    expect(() => ints.minimum(Infinity)).toThrow(message("minimum", Infinity));
    expect(() => maskedFill(ints, ints.gt(1), 0.5)).toThrow(message("maskedFill", 0.5));
    expect(() => clamp(ints, 0, 2.5)).toThrow(message("minimum", 2.5));
    expect(() => where(ints.gt(1), ints, 2 ** 31)).toThrow(message("where", 2 ** 31));
  });

  it("float32 and numbers that it rounds", () => {
    const tenth = tensor([0.1], { device: backend });
    expect(tenth.eq(0.1).toListSync()).toEqual([true]);
    expect(tenth.sub(0.1).toListSync()).toEqual([0]);
  });

  it("quotients: float32 of any types, and integers cut towards zero", () => {
    const ints = tensor([7, -7, 1], { dtype: "int32", device: backend });
    expect(ints.div(2)).toMatchObject({ dtype: "float32" });
    expect(ints.div(2).toListSync()).toEqual([3.5, -3.5, 0.5]);
    expect(ints.div(0.5).toListSync()).toEqual([14, -14, 2]);
    expect(ints.div(ints.sub(ints)).toListSync()).toEqual([Infinity, -Infinity, Infinity]);
    expect(truncDiv(ints, 2)).toMatchObject({ dtype: "int32" });
    expect(truncDiv(ints, 2).toListSync()).toEqual([3, -3, 0]);
    expect(() => truncDiv(ints, 0)).toThrow("truncDiv: 7 / 0 has no int32; div gives ±Infinity or NaN");
    const least = tensor([-(2 ** 31)], { dtype: "int32", device: backend });
    expect(truncDiv(least, -1).toListSync()).toEqual([-(2 ** 31)]);
  });

  it("int32 and float32 are compared exactly", () => {
    const int = tensor([2 ** 24 + 1], { dtype: "int32", device: backend });
    const float = tensor([2 ** 24], { device: backend });
    expect(int.eq(float).toListSync()).toEqual([false]);
    expect(float.lt(int).toListSync()).toEqual([true]);
  });

  it("where takes numbers", () => {
    const mask = tensor([true, false], { dtype: "bool", device: backend });
    const x = tensor([5, 6], { device: backend });
    expect(where(mask, x, 0).toListSync()).toEqual([5, 0]);
    expect(where(mask, -1, x.cast("uint8").cast("int32"))).toMatchObject({ dtype: "int32" });
    expect(where(mask, 0.5, 0).toListSync()).toEqual([0.5, 0]);
    expect(where(mask, full([2, 1], 3, { device: backend }), 0).shape).toEqual([2, 2]);
  });

  it("what is no tensor is named, with what was expected", () => {
    const x = tensor([1, 2], { device: backend });
    const mask = x.gt(1);
    const array = (shown: string): string => `got ${shown} (tensor(…) makes a tensor of an array)`;
    const wrong: readonly [() => unknown, string][] = [
      [() => x.add([1, 2] as never), `add: b must be a tensor or a number, ${array("[1, 2]")}`],
      [() => x.add("1" as never), 'add: b must be a tensor or a number, got "1"'],
      [() => x.lt(null as never), "lt: b must be a tensor or a number, got null"],
      [() => x.div(undefined as never), "div: b must be a tensor or a number, got undefined"],
      [() => x.matmul([1] as never), `matmul: b must be a tensor, ${array("[1]")}`],
      [() => where([true] as never, x, 0), `where: condition must be a tensor, ${array("[true]")}`],
      [() => where(mask, x, "0" as never), 'where: b must be a tensor or a number, got "0"'],
      [() => maskedFill(x, mask, "0" as never), 'maskedFill: value must be a number, got "0"'],
      [() => clamp([1] as never, 0, 1), `clamp: x must be a tensor, ${array("[1]")}`],
      [() => x.gather(0, [0] as never), `gather: indices must be a tensor, ${array("[0]")}`],
      [() => x.copy_(new Map() as never), "copy_: source must be a tensor, got a Map"],
      [() => x.sum("0" as never), 'sum: an axis must be a number, got "0"'],
      [() => x.max(null as never), "max: an axis must be a number, got null"],
      [() => x.softmax(undefined as never), "softmax: an axis must be a number, got undefined"],
      [() => x.reshape(2 as never), "reshape: shape must be an array such as [2, 3], got 2"],
      [() => x.permute(0 as never), "permute: axes must be an array such as [1, 0], got 0"],
      [() => x.expand("2" as never), 'expand: shape must be an array such as [2, 3], got "2"'],
    ];
    for (const [run, message] of wrong) expect(run).toThrow(message);
  });
});
