import { defineOp, type View } from "../../backends/backend.ts";
import { dispatch, dispatchInto } from "../../backends/dispatch.ts";
import * as reference from "../../backends/reference/backward/cross-entropy.ts";
import * as wasm from "../../backends/wasm/training/cross-entropy.ts";
import { ShapeMismatchError } from "../../errors.ts";
import { showShape } from "../../shape.ts";
import { expectDType, expectRank, expectShape } from "../checks.ts";
import { usingFresh } from "./fresh.ts";

export const targetLogProbsWithLogitsOp = /* @__PURE__ */ defineOp(
  "targetLogProbsWithLogits",
  reference.targetLogProbsWithLogitsKernel,
  { wasm: wasm.targetLogProbsWithLogits },
);
/** The results of `targetLogProbs` on these operands, with their bits, and the logits [R, V]. */
export function targetLogProbsWithLogits(operands: readonly View[]): readonly [View, View, View] {
  const [R, V] = [operands[0]!.shape[0]!, operands[1]!.shape[1]!];
  const specs = [[R], [R], [R, V]].map((shape) => ({ dtype: "float32", shape }) as const);
  return dispatch(targetLogProbsWithLogitsOp, operands, undefined, specs) as unknown as readonly [View, View, View];
}

/** What {@link targetLogProbsBackward} reads, all float32 but the targets. */
export interface TargetLogProbsCall {
  readonly x: View;
  readonly w: View;
  readonly targets: View;
  /** Its second result. */
  readonly logSumExp: View;
  /** The gradients of both results, [R]. */
  readonly dLogProbs: View;
  readonly dLogSumExp: View;
  /** x·w [R, V], if they were kept: they are overwritten. Default: they are computed again, some columns at a time. */
  readonly logits?: View | undefined;
  /** Where the gradient of w is added, [K, V]. Default: nowhere. */
  readonly dw?: View | undefined;
}

export const targetLogProbsBackwardOp = /* @__PURE__ */ defineOp(
  "targetLogProbsBackward",
  reference.targetLogProbsBackwardKernel,
  { wasm: wasm.targetLogProbsBackward },
);
/** The gradient of x [R, K] in targetLogProbs(x, w, targets); that of w [K, V] is added where it is wanted. */
export function targetLogProbsBackward(call: TargetLogProbsCall): View {
  const op = "targetLogProbsBackward";
  const { x, w, targets, logSumExp, dLogProbs, dLogSumExp, logits, dw } = call;
  for (const what of ["x", "w", "logSumExp", "dLogProbs", "dLogSumExp"] as const) {
    expectDType(op, what, call[what], "float32");
  }
  expectDType(op, "targets", targets, "int32");
  expectRank(op, "x", x, 2, "[R, K]");
  expectRank(op, "w", w, 2, "[K, V]");
  const [R, K] = x.shape as readonly [number, number];
  const V = w.shape[1]!;
  if (w.shape[0] !== K) {
    const shapes = `${showShape(x.shape)} × ${showShape(w.shape)}`;
    throw new ShapeMismatchError(op, `inner sizes ${K} and ${w.shape[0]} differ (${shapes})`);
  }
  for (const what of ["targets", "logSumExp", "dLogProbs", "dLogSumExp"] as const) {
    expectShape(op, what, call[what], [R]);
  }
  for (const [what, view, shape] of [
    ["logits", logits, [R, V]],
    ["dw", dw, [K, V]],
  ] as const) {
    if (view) expectDType(op, what, view, "float32");
    if (view) expectShape(op, what, view, shape);
  }
  const inputs = [x, w, targets, logSumExp, dLogProbs, dLogSumExp];
  const params = { weight: dw !== undefined, logits: logits !== undefined };
  const others = [logits, dw].filter((view) => view !== undefined);
  return usingFresh(x, [R, K], (dx) => dispatchInto(targetLogProbsBackwardOp, inputs, params, [dx, ...others]));
}
