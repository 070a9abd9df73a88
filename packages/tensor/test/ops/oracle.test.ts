import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import { describeOnEveryBackend } from "../backends.ts";
import { expectValues } from "./compare.ts";
import { evaluate, type Operand } from "./operands.ts";
import { type Args, calls } from "./table.ts";
import { toleranceOf } from "./tolerances.ts";

interface Case {
  readonly op: string;
  readonly inputs: readonly Operand[];
  readonly args: Args;
  readonly outputs: readonly Operand[];
}

// Computed by fixtures/make_fixtures.py with PyTorch and NumPy.
const cases: Case[] = JSON.parse(readFileSync(new URL("fixtures/ops.json", import.meta.url), "utf8"));
const ops = byOp(cases);

describe("the fixtures", () => {
  it("have cases for every op", () => {
    expect([...ops.keys()].sort()).toEqual(Object.keys(calls).sort());
  });
});

describeOnEveryBackend("every op gives what PyTorch and NumPy give", (backend) => {
  for (const [op, casesOfOp] of ops) {
    it(`${op}, in ${casesOfOp.length} cases`, () => {
      for (const { inputs, args, outputs } of casesOfOp) {
        const context = `for ${JSON.stringify(args)} of ${inputs.map(({ shape, views }) => JSON.stringify({ shape, views }))}`;
        const actual = evaluate(backend, inputs, (views) => calls[op]!(views, args));
        // The reference computes in float64, as the oracle does, and rounds once for each operation; most activations are a second
        // one, as are log-probabilities of logits.
        const { activation = "none" } = args;
        const single = op !== "targetLogProbs" && (activation === "none" || activation === "gelu");
        const tolerance = backend === referenceBackend && single ? { ulps: 0.51, abs: 1e-9 } : toleranceOf(op);
        expectValues(actual, outputs, tolerance, context);
      }
    });
  }
});

function byOp(all: readonly Case[]): Map<string, Case[]> {
  const groups = new Map<string, Case[]>();
  for (const one of all) groups.set(one.op, [...(groups.get(one.op) ?? []), one]);
  return groups;
}
