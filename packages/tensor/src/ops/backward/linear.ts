import { defineOp, type View } from "../../backends/backend.ts";
import { dispatch } from "../../backends/dispatch.ts";
import { linearWithSumsKernel } from "../../backends/reference/backward/linear.ts";
import type { LinearParams } from "../../backends/reference/matmul.ts";
import { linearWithSums as wasm } from "../../backends/wasm/training/linear.ts";

export const linearWithSumsOp = /* @__PURE__ */ defineOp("linearWithSums", linearWithSumsKernel, { wasm });
/** The result [M, N] of a `linear` on these operands, with its bits, and what its activation was given, [M, N] too. */
export function linearWithSums(operands: readonly View[], params: LinearParams): readonly [View, View] {
  const spec = { dtype: "float32", shape: [operands[0]!.shape[0]!, operands[1]!.shape[1]!] } as const;
  return dispatch(linearWithSumsOp, operands, params, [spec, spec] as const);
}
