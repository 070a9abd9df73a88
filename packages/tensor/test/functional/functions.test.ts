import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import * as library from "../../src/index.ts";
import { type AnyTensor, type DType, fromData, Tensor } from "../../src/index.ts";
import { describeOnEveryBackend } from "../backends.ts";
import { expectValues } from "../ops/compare.ts";
import type { JsonNumber, Values } from "../ops/operands.ts";

// Functions that are made of operations, against NumPy and PyTorch: fixtures/make_fixtures.py.
interface Packed {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly JsonNumber[];
}

interface Case {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly expected: unknown;
}

const cases: Case[] = JSON.parse(readFileSync(new URL("fixtures/functions.json", import.meta.url), "utf8"));

/** Rounding of float32 in a handful of operations on numbers of a few dozens. */
const rounding = { ulps: 16, abs: 2e-5 };

const functions = library as unknown as Readonly<Record<string, (...args: unknown[]) => unknown>>;

describeOnEveryBackend("every function gives what NumPy and PyTorch give", (backend) => {
  for (const name of new Set(cases.map((each) => each.name))) {
    it(name, async () => {
      for (const { args, expected } of cases.filter((each) => each.name === name)) {
        const result = await functions[name]!(...(args.map((arg) => unpacked(arg, backend)) as unknown[]));
        expectSame(result, expected, `for ${JSON.stringify(args).slice(0, 300)}`);
      }
    });
  }
});

function isPacked(value: unknown): value is Packed {
  return typeof value === "object" && value !== null && "dtype" in value && "data" in value;
}

function unpacked(value: unknown, backend: Backend): unknown {
  if (value === null) return undefined;
  if (value === "Infinity" || value === "-Infinity") return Number(value);
  if (isPacked(value)) {
    return fromData(value.data.map(Number), value.shape, { dtype: value.dtype, device: backend });
  }
  if (Array.isArray(value)) return value.map((item) => unpacked(item, backend));
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, unpacked(item, backend)]));
}

function expectSame(actual: unknown, expected: unknown, context: string): void {
  if (isPacked(expected)) {
    expect(actual, context).toBeInstanceOf(Tensor);
    expectValues([valuesOf(actual as AnyTensor)], [expected], rounding, context);
  } else if (typeof expected === "object" && expected !== null) {
    expect(Object.keys(actual as object).sort(), context).toEqual(Object.keys(expected).sort());
    for (const [name, item] of Object.entries(expected)) {
      expectSame((actual as Record<string, unknown>)[name], item, context);
    }
  } else {
    expect(actual, context).toBe(expected);
  }
}

function valuesOf(x: AnyTensor): Values {
  return { dtype: x.dtype, shape: [...x.shape], data: [...x.dataSync()] };
}
