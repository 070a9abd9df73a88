import { defineOp, type View } from "../../backends/backend.ts";
import { dispatchInto } from "../../backends/dispatch.ts";
import { matmulIntoKernel } from "../../backends/reference/backward/matmul.ts";
import { matmulInto as wasm } from "../../backends/wasm/training/matmul.ts";
import { ShapeMismatchError } from "../../errors.ts";
import { showShape } from "../../shape.ts";
import { expectDType, expectRank, expectShape } from "../checks.ts";

export const matmulIntoOp = /* @__PURE__ */ defineOp("matmulInto", matmulIntoKernel, { wasm });
/**
 * Writes a [M, K] × b [K, N] to `out` [M, N], or adds it there; float32. In gradients of a linear layer y = x·w, that of x is
 * dy × wᵀ and that of w xᵀ × dy: operands and result may be transposed, or other windows of larger tensors.
 *
 * Blocks of 256 terms are summed, and their sums are added in order to what is there: a product of 512 rows has the bits of two of
 * 256 rows.
 */
export function matmulInto(a: View, b: View, out: View, { accumulate = false } = {}): void {
  for (const [what, view] of [
    ["a", a],
    ["b", b],
    ["out", out],
  ] as const) {
    expectDType("matmulInto", what, view, "float32");
    expectRank("matmulInto", what, view, 2, "[rows, columns]");
  }
  if (a.shape[1] !== b.shape[0]) {
    const shapes = `${showShape(a.shape)} × ${showShape(b.shape)}`;
    throw new ShapeMismatchError("matmulInto", `inner sizes ${a.shape[1]} and ${b.shape[0]} differ (${shapes})`);
  }
  expectShape("matmulInto", "out", out, [a.shape[0]!, b.shape[1]!]);
  dispatchInto(matmulIntoOp, [a, b], { accumulate }, [out]);
}
