import { defineOp, type View } from "../../backends/backend.ts";
import { dispatch } from "../../backends/dispatch.ts";
import { type ActivationName, activationBackwardKernel } from "../../backends/reference/backward/activation.ts";
import { activationBackward as wasm } from "../../backends/wasm/training/activation.ts";
import { expectDType, expectShape } from "../checks.ts";

export const activationBackwardOp = /* @__PURE__ */ defineOp("activationBackward", activationBackwardKernel, { wasm });
/**
 * The gradient of activation(x) for the gradient dy of its result, both [...], float32: dy·f′(x). It needs what the activation was
 * given, because GELU and its kin take two values to one.
 */
export function activationBackward(x: View, dy: View, activation: ActivationName): View {
  expectDType("activationBackward", "x", x, "float32");
  expectDType("activationBackward", "dy", dy, "float32");
  expectShape("activationBackward", "dy", dy, x.shape);
  const [dx] = dispatch(activationBackwardOp, [x, dy], { activation }, [{ dtype: "float32", shape: x.shape }]);
  return dx;
}
