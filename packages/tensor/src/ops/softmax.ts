import { defineOp, type Op, type View } from "../backends/backend.ts";
import { dispatch } from "../backends/dispatch.ts";
import { logSoftmaxKernel, softmaxKernel } from "../backends/reference/softmax.ts";
import { axisLast } from "./axes.ts";
import { expectDType } from "./checks.ts";

// float32 in, float32 of the same shape out; each works along one axis.

export const softmaxOp = /* @__PURE__ */ defineOp("softmax", softmaxKernel);
/** eˣ / Σ eˣ along an axis. */
export function softmax(x: View, axis: number): View {
  return along(softmaxOp, x, axis);
}

export const logSoftmaxOp = /* @__PURE__ */ defineOp("logSoftmax", logSoftmaxKernel);
/** x − log Σ eˣ along an axis: the logarithm of softmax, without its rounding to 0. */
export function logSoftmax(x: View, axis: number): View {
  return along(logSoftmaxOp, x, axis);
}

function along(op: Op, x: View, axis: number): View {
  expectDType(op.name, "x", x, "float32");
  const rows = axisLast(op.name, x, axis);
  return axisLast(op.name, dispatch(op, [rows], undefined, [{ dtype: "float32", shape: rows.shape }])[0], axis);
}
