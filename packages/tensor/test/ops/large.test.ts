import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import type { DType } from "../../src/dtype.ts";
import { backends, otherBackends } from "../backends.ts";
import { type Fill, operand } from "./arbitraries.ts";
import { expectValues, type Tolerance } from "./compare.ts";
import type { Sample } from "./generators.ts";
import { evaluate, type Values } from "./operands.ts";
import { type Args, calls } from "./table.ts";
import { toleranceOf } from "./tolerances.ts";

type Large = readonly [op: string, shapes: readonly (readonly number[])[], args: Args, tolerance?: Tolerance];

/** Longer sums than elsewhere: see tolerances.ts. */
const longSums: Tolerance = { ulps: 16, abs: 1e-4 };

/** Tensors that are worth splitting among threads, and that end in the middle of every block and vector. */
const larges: readonly Large[] = [
  [
    "add",
    [
      [130, 1, 67],
      [31, 67],
    ],
    {},
  ],
  ["mul", [[61, 31, 67], [1]], {}],
  [
    "lt",
    [
      [301, 203],
      [301, 203],
    ],
    {},
  ],
  ["gelu", [[131, 1027]], {}],
  ["exp", [[301, 203]], {}],
  ["copy", [[37, 61, 83]], {}],
  ["cast", [[301, 203]], { dtype: "int32" }],
  ["sum", [[301, 403]], { axes: 1 }, longSums],
  ["sum", [[301, 403]], { axes: 0 }, longSums],
  ["max", [[5, 50257]], { axes: -1 }],
  ["argMax", [[5, 50257]], { axes: -1 }],
  ["logSumExp", [[5, 50257]], { axes: -1 }],
  ["topK", [[3, 50257]], { axis: -1, k: 40 }],
  ["softmax", [[67, 1003]], { axis: -1 }],
  ["logSoftmax", [[5, 50257]], { axis: -1 }, { ulps: 8, abs: 2e-6 }],
  ["cumsum", [[67, 203]], { axis: -1 }, longSums],
  ["layerNorm", [[133, 768], [768], [768]], { epsilon: 1e-5 }],
  [
    "matmul",
    [
      [133, 519],
      [519, 141],
    ],
    {},
    longSums,
  ],
  [
    "matmul",
    [
      [3, 45, 131],
      [3, 131, 77],
    ],
    {},
    longSums,
  ],
  [
    "matmul",
    [
      [1, 768],
      [768, 2051],
    ],
    {},
    longSums,
  ],
  ["linear", [[67, 768], [768, 301], [301]], { activation: "gelu" }, longSums],
  ["linear", [[1, 1537], [1537, 301], [301]], { activation: "none" }, longSums],
  [
    "concat",
    [
      [130, 301],
      [77, 301],
    ],
    { axis: 0 },
  ],
  [
    "attention",
    [
      [131, 4, 64],
      [131, 4, 64],
      [131, 4, 64],
      [45, 4, 64],
      [45, 4, 64],
    ],
    {
      causal: true,
      segments: [
        { start: 0, length: 70, past: 0 },
        { start: 70, length: 1, past: 0 },
        { start: 71, length: 60, past: -1 },
      ],
    },
  ],
  [
    "attention",
    [
      [1, 12, 64],
      [1, 12, 64],
      [1, 12, 64],
      [333, 12, 64],
      [333, 12, 64],
    ],
    { causal: true, segments: [{ start: 0, length: 1, past: 0 }] },
  ],
];

function samplesOf([op, shapes, args]: Large): Sample[] {
  const fill: Fill = op === "matmul" || op === "linear" || op === "attention" ? "small" : "moderate";
  const dtype: DType = "float32";
  const inputs = fc.tuple(...shapes.map((shape) => operand(shape, dtype, fill)));
  return fc.sample(inputs, { seed: 2026, numRuns: 2 }).map((drawn) => ({ inputs: drawn, args }));
}

describe("large tensors", () => {
  for (const [n, large] of larges.entries()) {
    const [op, shapes, args, tolerance = toleranceOf(op)] = large;
    it(`${op} of ${shapes.map((shape) => `[${shape.join(", ")}]`).join(" and ")} (${n}) is the reference's on every backend, and the same bits for 1 and 2 threads`, () => {
      for (const { inputs } of samplesOf(large)) {
        const expected = evaluate(referenceBackend, inputs, (views) => calls[op]!(views, args));
        const results = new Map<string, Values[]>();
        for (const { title, backend } of otherBackends) {
          const actual = evaluate(backend, inputs, (views) => calls[op]!(views, args));
          expectValues(actual, expected, tolerance, `on ${title}`);
          results.set(title, actual);
        }
        expect(backends.map(({ title }) => title)).toEqual(
          expect.arrayContaining(["wasm, 1 thread", "wasm, 2 threads"]),
        );
        expectValues(results.get("wasm, 2 threads")!, results.get("wasm, 1 thread")!, { ulps: 0 });
      }
    });
  }
});
