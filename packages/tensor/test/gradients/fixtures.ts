import { readFileSync } from "node:fs";
import { expect } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { type Tensor, valueAndGrad } from "../../src/index.ts";
import { type JsonNumber, type Operand, placeBase } from "../ops/operands.ts";
import type { Args } from "../ops/table.ts";
import { owned } from "./finite-differences.ts";
import { lossOf } from "./loss.ts";

interface Case {
  readonly op: string;
  readonly inputs: readonly Operand[];
  readonly args: Args;
  /** For each operand with a gradient, row-major; null for the others. */
  readonly gradients: readonly (readonly JsonNumber[] | null)[];
}

const cases: readonly Case[] = JSON.parse(readFileSync(new URL("fixtures/gradients.json", import.meta.url), "utf8"));

/** What fixtures/make_fixtures.py computed with PyTorch, by op. */
export const casesOf: ReadonlyMap<string, readonly Case[]> = grouped(cases);

/**
 * The largest error of a case's gradients on a device: relative to the largest number of the gradient, or to 1 where that is
 * smaller.
 */
export async function errorOf(sample: Case, device: Backend): Promise<number> {
  const bases = sample.inputs.map((input) => owned(placeBase(device, input)));
  const parameters = bases.filter(({ dtype }) => dtype === "float32") as Tensor[];
  const { value, gradients } = valueAndGrad(parameters, () => lossOf(sample, bases));
  let largest = 0;
  for (const [n, expected] of sample.gradients.filter((gradient) => gradient !== null).entries()) {
    const gradient = gradients[n]!;
    expect(gradient.shape).toEqual(parameters[n]!.shape);
    const scale = Math.max(1, ...expected.map((x) => Math.abs(Number(x) || 0)));
    for (const [i, found] of (await gradient.data()).entries()) {
      const wanted = Number(expected[i]);
      const error = Object.is(found, wanted) ? 0 : Math.abs(found - wanted) / scale; // NaN where PyTorch has it
      if (!(error <= largest)) largest = error;
    }
  }
  for (const tensor of [...bases, value, ...gradients]) tensor.dispose();
  return largest;
}

function grouped(all: readonly Case[]): Map<string, Case[]> {
  const groups = new Map<string, Case[]>();
  for (const one of all) groups.set(one.op, [...(groups.get(one.op) ?? []), one]);
  return groups;
}
