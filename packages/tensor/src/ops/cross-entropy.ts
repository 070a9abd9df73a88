import { defineOp, type View } from "../backends/backend.ts";
import { dispatch } from "../backends/dispatch.ts";
import { targetLogProbsKernel } from "../backends/reference/cross-entropy.ts";
import { ShapeMismatchError } from "../errors.ts";
import { showShape } from "../shape.ts";
import { expectDType, expectRank, expectShape } from "./checks.ts";

/** Of each row: log p of its target, and log Σ eˣ of its logits. */
export interface TargetLogProbs {
  readonly logProbs: View;
  readonly logSumExp: View;
}

export const targetLogProbsOp = /* @__PURE__ */ defineOp("targetLogProbs", targetLogProbsKernel);
/**
 * The logarithm of softmax(x·w) at the targets: x [R, K], w [K, V] (which may be packed), targets [R] (int32, 0 to V − 1) → [R] and
 * [R]. The logits [R, V] never exist at once.
 */
export function targetLogProbs(x: View, w: View, targets: View): TargetLogProbs {
  expectDType("targetLogProbs", "x", x, "float32");
  expectDType("targetLogProbs", "w", w, "float32");
  expectDType("targetLogProbs", "targets", targets, "int32");
  expectRank("targetLogProbs", "x", x, 2, "[R, K]");
  expectRank("targetLogProbs", "w", w, 2, "[K, V]");
  const [R, K] = x.shape as [number, number];
  if (w.shape[0] !== K) {
    throw new ShapeMismatchError(
      "targetLogProbs",
      `inner sizes ${K} and ${w.shape[0]} differ (${showShape(x.shape)} × ${showShape(w.shape)})`,
    );
  }
  expectShape("targetLogProbs", "targets", targets, [R]);
  const perRow = { dtype: "float32", shape: [R] } as const;
  const [logProbs, logSumExp] = dispatch(targetLogProbsOp, [x, w, targets], undefined, [perRow, perRow]);
  return { logProbs, logSumExp };
}
