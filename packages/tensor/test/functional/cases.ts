import { readFileSync } from "node:fs";
import { expect } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import * as library from "../../src/index.ts";
import { type AnyTensor, type DType, fromData, Tensor } from "../../src/index.ts";
import { expectValues, type Tolerance } from "../ops/compare.ts";
import type { JsonNumber, Values } from "../ops/operands.ts";

interface Packed {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly JsonNumber[];
}

/** A call of a function, and what NumPy or PyTorch makes of it. */
export interface Case {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly expected: unknown;
}

/** Computed by fixtures/make_fixtures.py. */
export const cases: readonly Case[] = JSON.parse(
  readFileSync(new URL("fixtures/functions.json", import.meta.url), "utf8"),
);

export const names: readonly string[] = [...new Set(cases.map(({ name }) => name))];

const functions = library as unknown as Readonly<Record<string, (...args: unknown[]) => unknown>>;

/** Calls the function on a device, and compares. */
export async function check({ name, args, expected }: Case, device: Backend, tolerance: Tolerance): Promise<void> {
  const result = await functions[name]!(...(args.map((arg) => unpacked(arg, device)) as unknown[]));
  await expectSame(result, expected, tolerance, `for ${JSON.stringify(args).slice(0, 300)}`);
}

function isPacked(value: unknown): value is Packed {
  return typeof value === "object" && value !== null && "dtype" in value && "data" in value;
}

function unpacked(value: unknown, device: Backend): unknown {
  if (value === null) return undefined;
  if (value === "Infinity" || value === "-Infinity") return Number(value);
  if (isPacked(value)) {
    return fromData(value.data.map(Number), value.shape, { dtype: value.dtype, device });
  }
  if (Array.isArray(value)) return value.map((item) => unpacked(item, device));
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, unpacked(item, device)]));
}

async function expectSame(actual: unknown, expected: unknown, tolerance: Tolerance, context: string): Promise<void> {
  if (isPacked(expected)) {
    expect(actual, context).toBeInstanceOf(Tensor);
    expectValues([await valuesOf(actual as AnyTensor)], [expected], tolerance, context);
  } else if (typeof expected === "object" && expected !== null) {
    expect(Object.keys(actual as object).sort(), context).toEqual(Object.keys(expected).sort());
    for (const [name, item] of Object.entries(expected)) {
      await expectSame((actual as Record<string, unknown>)[name], item, tolerance, context);
    }
  } else {
    expect(actual, context).toBe(expected);
  }
}

async function valuesOf(x: AnyTensor): Promise<Values> {
  return { dtype: x.dtype, shape: [...x.shape], data: [...(await x.data())] };
}
