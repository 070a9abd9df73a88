import { defineOp, type View } from "../../backends/backend.ts";
import { dispatchInto } from "../../backends/dispatch.ts";
import { targetLogProbsBackwardKernel } from "../../backends/reference/backward/cross-entropy.ts";
import { targetLogProbsBackward as wasm } from "../../backends/wasm/training/cross-entropy.ts";
import { ShapeMismatchError } from "../../errors.ts";
import { showShape } from "../../shape.ts";
import { expectDType, expectRank, expectShape } from "../checks.ts";
import { usingFresh } from "./fresh.ts";

/** The gradients of both results of targetLogProbs, [R] each. */
export interface TargetLogProbsGradients {
  readonly logProbs: View;
  readonly logSumExp: View;
}

export const targetLogProbsBackwardOp = /* @__PURE__ */ defineOp(
  "targetLogProbsBackward",
  targetLogProbsBackwardKernel,
  { wasm },
);
/**
 * The gradient of x [R, K] in targetLogProbs(x, w, targets), for its result `logSumExp` [R] and the gradients of both results; that
 * of w [K, V] is written to `dw`, or added there. The logits are computed again, some columns at a time.
 */
export function targetLogProbsBackward(
  x: View,
  w: View,
  targets: View,
  logSumExp: View,
  gradients: TargetLogProbsGradients,
  dw: View,
  { accumulate = false } = {},
): View {
  const op = "targetLogProbsBackward";
  for (const [what, view] of [
    ["x", x],
    ["w", w],
  ] as const) {
    expectDType(op, what, view, "float32");
    expectRank(op, what, view, 2, what === "x" ? "[R, K]" : "[K, V]");
  }
  const [R, K] = x.shape as readonly [number, number];
  if (w.shape[0] !== K) {
    const shapes = `${showShape(x.shape)} × ${showShape(w.shape)}`;
    throw new ShapeMismatchError(op, `inner sizes ${K} and ${w.shape[0]} differ (${shapes})`);
  }
  expectDType(op, "targets", targets, "int32");
  for (const [what, view] of [
    ["logSumExp", logSumExp],
    ["the gradient of logProbs", gradients.logProbs],
    ["the gradient of logSumExp", gradients.logSumExp],
  ] as const) {
    expectDType(op, what, view, "float32");
    expectShape(op, what, view, [R]);
  }
  expectShape(op, "targets", targets, [R]);
  expectDType(op, "dw", dw, "float32");
  expectShape(op, "dw", dw, w.shape);
  const inputs = [x, w, targets, logSumExp, gradients.logProbs, gradients.logSumExp];
  return usingFresh(x, [R, K], (dx) => dispatchInto(targetLogProbsBackwardOp, inputs, { accumulate }, [dx, dw]));
}
