import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import type { View } from "../../src/backends/backend.ts";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import { type DType, holds } from "../../src/dtype.ts";
import { DTypeError } from "../../src/errors.ts";
import * as binary from "../../src/ops/binary.ts";
import { maskedFill } from "../../src/ops/indexing.ts";
import { concat } from "../../src/ops/rearrange.ts";
import { promote } from "../../src/promotion.ts";
import { describeOnEveryBackend } from "../backends.ts";
import { expectValues } from "./compare.ts";
import { evaluate, type JsonNumber, type Operand } from "./operands.ts";
import { calls } from "./table.ts";
import { toleranceOf } from "./tolerances.ts";

interface Result {
  readonly dtype: string;
  readonly data: readonly JsonNumber[];
}

/** An op on every pair of edge values of two types, or on those of one beside a number. `null`: PyTorch refuses. */
type Case = { readonly op: string; readonly a: DType; readonly result: Result | null } & (
  | { readonly b: DType; readonly number?: undefined }
  | { readonly b?: undefined; readonly number: JsonNumber }
);

// Computed by fixtures/make_promotion_fixtures.py with PyTorch.
const fixture: {
  readonly edges: Readonly<Record<DType, readonly JsonNumber[]>>;
  readonly pairs: readonly Case[];
  readonly numbers: readonly Case[];
  readonly ofOne: Readonly<Record<string, Readonly<Record<DType, string | null>>>>;
} = JSON.parse(readFileSync(new URL("fixtures/promotion.json", import.meta.url), "utf8"));
const dtypes = Object.keys(fixture.edges) as DType[];
const cases = [...fixture.pairs, ...fixture.numbers];

const { add, sub, mul, div, truncDiv, pow, maximum, minimum, eq, ne, lt, le, gt, ge, logicalAnd, logicalOr } = binary;
const ofTwo: Readonly<Record<string, (a: View, b: never) => View>> = {
  ...{ add, sub, mul, div, truncDiv, pow, maximum, minimum, eq, ne, lt, le, gt, ge, logicalAnd, logicalOr },
};

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};
const arithmetic = ["add", "sub", "mul", "truncDiv", "pow"];
const choices = ["maximum", "minimum", "where", "maskedFill"];

/** Where the operands of a case meet. */
const meeting = ({ a, b }: Case): DType => (b === undefined ? a : promote(a, b));

/** Where the library decides otherwise than PyTorch, as docs/dtypes.md lists it, and what it gives instead. */
const differences: readonly {
  readonly title: string;
  applies(one: Case): boolean;
  ours(one: Case): Result | null;
}[] = [
  {
    title: "uint8 and bool do no arithmetic among themselves",
    applies: (one) => arithmetic.includes(one.op) && ["uint8", "bool"].includes(meeting(one)),
    ours: () => null,
  },
  {
    title: "truncDiv divides integers",
    applies: (one) => one.op === "truncDiv" && meeting(one) === "float32",
    ours: () => null,
  },
  {
    title: "a number that the tensor's type cannot hold is refused",
    applies: ({ op, a, number }) =>
      number !== undefined && [...arithmetic, ...choices].includes(op) && !holds(a, Number(number)),
    ours: () => null,
  },
  {
    title: "a number beside a bool is a bool",
    applies: ({ op, a, number }) => number !== undefined && a === "bool" && choices.includes(op),
    ours: ({ result }) => ({ dtype: "bool", data: result!.data }),
  },
  {
    title: "comparisons compare values",
    applies: (one) => one.op in comparisons && (one.b === undefined ? one.a !== "float32" : one.a !== one.b),
    ours: ({ op, a, b, number }) => ({
      dtype: "bool",
      data: grid(a, b ?? Number(number), (x, y) => Number(comparisons[op]!(x, y))),
    }),
  },
  {
    title: "a bool may be subtracted, as it may be added",
    applies: (one) => one.op === "sub" && one.b !== undefined && (one.a === "bool") !== (one.b === "bool"),
    ours: (one) => {
      const dtype = meeting(one);
      const rounded = dtype === "int32" ? (x: number) => x | 0 : Math.fround;
      return { dtype, data: grid(one.a, one.b!, (x, y) => json(rounded(rounded(x) - rounded(y)))) };
    },
  },
  {
    title: "pow by a number rounds it to float32, and follows C where PyTorch takes a square root",
    applies: ({ op, a, number }) => op === "pow" && a === "float32" && Number.isFinite(Math.fround(Number(number))),
    ours: ({ a, number }) => ({ dtype: a, data: grid(a, Math.fround(Number(number)), (x, y) => json(x ** y)) }),
  },
  {
    title: "a number beyond float32 becomes infinite, also where PyTorch refuses it",
    applies: ({ op, a, number }) => a === "float32" && number === 1e300 && ["where", "maskedFill"].includes(op),
    ours: ({ op, a }) => ({ dtype: a, data: valuesOf(a).map((x) => json(op === "where" ? x : Infinity)) }),
  },
  {
    title: "logicalAnd and logicalOr take bools",
    applies: ({ op, a, b }) => ["logicalAnd", "logicalOr"].includes(op) && !(a === "bool" && b === "bool"),
    ours: () => null,
  },
  {
    title: "concat takes one element type",
    applies: ({ op, a, b }) => op === "concat" && a !== b,
    ours: () => null,
  },
];
const differing = new Set<string>();
afterAll(() => {
  expect([...differing].sort()).toEqual(differences.map(({ title }) => title).sort());
});

describeOnEveryBackend("operands of two element types, and numbers beside tensors", (backend) => {
  for (const op of new Set(cases.map((one) => one.op))) {
    it(`give in ${op} what PyTorch gives, but for the differences that docs/dtypes.md lists`, () => {
      for (const one of cases.filter((each) => each.op === op)) {
        const difference = differences.find(({ applies }) => applies(one));
        const expected = difference ? difference.ours(one) : one.result;
        if (difference && JSON.stringify(expected) !== JSON.stringify(one.result)) differing.add(difference.title);
        const { operands, compute, shape } = call(one);
        const context = `${op}(${one.a}, ${one.b ?? one.number})`;
        if (expected === null) {
          expect(() => evaluate(backend, operands, compute), context).toThrow(DTypeError);
          continue;
        }
        const tolerance = toleranceOf(op);
        expectValues(evaluate(backend, operands, compute), [{ ...expected, shape }], tolerance, context);
      }
    });
  }
});

describe("ops of one operand", () => {
  it("take fewer element types than PyTorch's, and give PyTorch's but for sums and indices, which are int32", () => {
    const wider: Record<string, string> = { int64: "int32" };
    for (const [op, theirs] of Object.entries(fixture.ofOne)) {
      for (const dtype of dtypes) {
        const operand: Operand = { dtype, shape: [3], data: [0, 1, 1] };
        const expected = theirs[dtype];
        try {
          const [result] = evaluate(referenceBackend, [operand], (views) => calls[op]!(views, { axis: 0 }));
          expect(result!.dtype, `${op}(${dtype})`).toBe(wider[expected!] ?? expected);
        } catch (error) {
          expect(error, `${op}(${dtype})`).toBeInstanceOf(DTypeError);
          expect(dtype, `${op} is refused`).not.toBe(
            op === "any" || op === "all" || op === "logicalNot" ? "bool" : "float32",
          );
        }
      }
    }
  });
});

/** What `f` gives for every pair of the edge values of two types, or of one beside a number. */
function grid<T>(a: DType, b: DType | number, f: (x: number, y: number) => T): T[] {
  return valuesOf(a).flatMap((x) => (typeof b === "number" ? [b] : valuesOf(b)).map((y) => f(x, y)));
}

function json(value: number): JsonNumber {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? value : (String(value) as JsonNumber);
}

function valuesOf(dtype: DType): number[] {
  return fixture.edges[dtype].map((value) => (dtype === "float32" ? Math.fround(Number(value)) : Number(value)));
}

/** A condition that always holds. */
const everywhere: Operand = { dtype: "bool", shape: [], data: [1] };

/** The operands of a case, the shape of its result and how it is computed. */
function call({ op, a, b, number }: Case): {
  operands: Operand[];
  shape: number[];
  compute: (views: View[]) => View;
} {
  const truncated = op === "truncDiv";
  const xs = fixture.edges[a].filter((value) => !(truncated && value === -(2 ** 31)));
  const ys = b === undefined ? [] : fixture.edges[b].filter((value) => !(truncated && Number(value) === 0));
  const x = (...shape: number[]): Operand => ({ dtype: a, shape, data: xs });
  if (b === undefined) {
    const value = Number(number);
    const compute = ([view, all]: View[]): View => {
      if (op === "maskedFill") return maskedFill(view!, all!, value);
      if (op === "where") return binary.where(all!, view!, value);
      return ofTwo[op]!(view!, value as never);
    };
    return { operands: [x(xs.length), everywhere], shape: [xs.length], compute };
  }
  const y: Operand = { dtype: b, shape: [ys.length], data: ys };
  if (op === "concat") {
    return { operands: [x(xs.length), y], shape: [xs.length + ys.length], compute: (views) => concat(views, 0) };
  }
  const operands = [x(xs.length, 1), y];
  const shape = [xs.length, ys.length];
  if (op === "where") {
    return { operands: [everywhere, ...operands], shape, compute: ([c, u, v]) => binary.where(c!, u!, v!) };
  }
  return { operands, shape, compute: ([u, v]) => ofTwo[op]!(u!, v! as never) };
}
