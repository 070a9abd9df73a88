import { defineOp, type Op, type View } from "../../backends/backend.ts";
import { dispatch } from "../../backends/dispatch.ts";
import { logSoftmaxBackwardKernel, softmaxBackwardKernel } from "../../backends/reference/backward/softmax.ts";
import * as wasm from "../../backends/wasm/training/softmax.ts";
import { axisLast } from "../axes.ts";
import { expectDType, expectShape } from "../checks.ts";

export const softmaxBackwardOp = /* @__PURE__ */ defineOp("softmaxBackward", softmaxBackwardKernel, {
  wasm: wasm.softmaxBackward,
});
/** The gradient of x in y = softmax(x, axis), for y and its gradient dy, both [...], float32. */
export function softmaxBackward(y: View, dy: View, axis: number): View {
  return along(softmaxBackwardOp, y, dy, axis);
}

export const logSoftmaxBackwardOp = /* @__PURE__ */ defineOp("logSoftmaxBackward", logSoftmaxBackwardKernel, {
  wasm: wasm.logSoftmaxBackward,
});
/** The gradient of x in y = logSoftmax(x, axis), for y and its gradient dy, both [...], float32. */
export function logSoftmaxBackward(y: View, dy: View, axis: number): View {
  return along(logSoftmaxBackwardOp, y, dy, axis);
}

function along(op: Op, y: View, dy: View, axis: number): View {
  expectDType(op.name, "y", y, "float32");
  expectDType(op.name, "dy", dy, "float32");
  expectShape(op.name, "dy", dy, y.shape);
  const inputs = [axisLast(op.name, y, axis), axisLast(op.name, dy, axis)] as const;
  return axisLast(op.name, dispatch(op, inputs, undefined, [{ dtype: "float32", shape: inputs[0].shape }])[0], axis);
}
