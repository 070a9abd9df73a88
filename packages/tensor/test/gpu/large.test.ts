import fc from "fast-check";
import { expect, test } from "vitest";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import { embedding, fromData, targetLogProbs, tensor } from "../../src/index.ts";
import { operand } from "../ops/arbitraries.ts";
import { expectValues, type Tolerance } from "../ops/compare.ts";
import { evaluate, evaluateLater } from "../ops/operands.ts";
import { type Args, calls } from "../ops/table.ts";
import { describeOnGpu } from "./modes.ts";

/** Rows that several threads share, and shapes of GPT-2. Longer sums than elsewhere: see tolerances.ts. */
const larges: readonly (readonly [op: string, shapes: readonly (readonly number[])[], args: Args, Tolerance])[] = [
  ["sum", [[3, 5003]], { axes: 1 }, { ulps: 16, abs: 1e-3 }],
  ["mean", [[3, 5003]], { axes: 1 }, { ulps: 16, abs: 1e-6 }],
  ["max", [[2, 1025]], { axes: 1 }, { ulps: 0 }],
  ["argMax", [[3, 50257]], { axes: -1 }, { ulps: 0 }],
  ["argMin", [[2, 1030]], { axes: -1 }, { ulps: 0 }],
  ["logSumExp", [[2, 50257]], { axes: -1 }, { ulps: 8, abs: 2e-6 }],
  ["softmax", [[2, 50257]], { axis: -1 }, { ulps: 64 }],
  ["softmax", [[67, 1003]], { axis: -1 }, { ulps: 64 }],
  ["logSoftmax", [[3, 50257]], { axis: -1 }, { ulps: 8, abs: 4e-6 }],
  ["layerNorm", [[7, 768], [768], [768]], { epsilon: 1e-5 }, { ulps: 64, abs: 1e-5 }],
  ["gelu", [[31, 1027]], {}, { ulps: 24, abs: 2 ** -22 }],
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
    { ulps: 32, abs: 4e-6 },
  ],
];

await describeOnGpu("large tensors", (backend) => {
  for (const [op, shapes, args, tolerance] of larges) {
    test(`${op} of ${shapes.map((shape) => `[${shape.join(", ")}]`).join(" and ")} is the reference's`, async () => {
      backend.fallbacks.clear();
      const inputs = fc.tuple(...shapes.map((shape) => operand(shape, "float32", "small")));
      for (const drawn of fc.sample(inputs, { seed: 2026, numRuns: 2 })) {
        const actual = await evaluateLater(backend, drawn, (views) => calls[op]!(views, args));
        expectValues(
          actual,
          evaluate(referenceBackend, drawn, (views) => calls[op]!(views, args)),
          tolerance,
        );
      }
      expect(backend.fallbacks.entries()).toEqual([]);
    });
  }

  test("a product of more columns than there are threads is computed on the CPU, and says so", async () => {
    const columns = 600_001;
    const row = tensor([[1, 2]], { device: backend });
    const matrix = fromData(
      Float32Array.from({ length: 2 * columns }, (_, i) => i % 97),
      [2, columns],
      { device: backend },
    );
    backend.fallbacks.clear();
    const product = await row.matmul(matrix).data();
    for (const column of [0, 1, 524_280, columns - 1]) {
      expect(product[column]).toBe((column % 97) + 2 * ((column + columns) % 97));
    }
    expect(backend.fallbacks.entries()).toEqual([
      { op: "matmul", reason: "more columns, rows or matrices than there are threads", count: 1 },
    ]);
  });

  test("log-probabilities of targets are computed some rows at a time", async () => {
    const [rows, V] = [20, 2 ** 18] as const; // the logits of 16 rows exist at once
    const x = fromData(
      Array.from({ length: rows }, (_, row) => row / 5),
      [rows, 1],
      { device: backend },
    );
    const w = fromData(
      Float32Array.from({ length: V }, (_, i) => i % 3),
      [1, V],
      { device: backend },
    );
    const targets = fromData([...Array(rows).keys()], [rows], { dtype: "int32", device: backend });
    backend.fallbacks.clear();
    const { logProbs, logSumExp } = targetLogProbs(x, w, targets);
    const found = { logProbs: await logProbs.data(), logSumExp: await logSumExp.data() };
    const counts = [87_382, 87_381, 87_381]; // of the columns, by their element of w
    for (let row = 0; row < rows; row++) {
      const expected = Math.log(counts.reduce((sum, count, i) => sum + count * Math.exp((i * row) / 5), 0));
      expect(found.logSumExp[row]).toBeCloseTo(expected, 4);
      expect(found.logProbs[row]).toBeCloseTo(((row % 3) * row) / 5 - expected, 4);
    }
    expect(backend.fallbacks.entries()).toEqual([]);
    for (const used of [x, w, targets, logProbs, logSumExp]) used.dispose();
  });

  test("rows past 2²⁴ elements of a table are found: indices are integers, not floats", async () => {
    const [V, C] = [4_200_001, 4] as const; // 16.8 million elements
    const table = fromData(
      Float32Array.from({ length: V * C }, (_, i) => i % 1009),
      [V, C],
      { device: backend },
    );
    const ids = [V - 1, 0, V - 2, 4_194_305];
    const rows = embedding(table, fromData(ids, [4], { dtype: "int32", device: backend }));
    expect(await rows.toList()).toEqual(ids.map((id) => [0, 1, 2, 3].map((c) => (id * C + c) % 1009)));
    const last = table.slice(0, V - 2).mul(tensor([1, 10, 100, 1000], { device: backend }));
    const expected = [V - 2, V - 1].map((id) => [0, 1, 2, 3].map((c) => ((id * C + c) % 1009) * 10 ** c));
    expect(await last.toList()).toEqual(expected);
    for (const used of [rows, table, last]) used.dispose();
  });
});
