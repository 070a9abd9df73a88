import { defineOp, type View } from "../../backends/backend.ts";
import { dispatch } from "../../backends/dispatch.ts";
import { layerNormBackwardKernel } from "../../backends/reference/backward/normalize.ts";
import { layerNormBackward as wasm } from "../../backends/wasm/training/normalize.ts";
import { ShapeMismatchError } from "../../errors.ts";
import { expectDType, expectShape } from "../checks.ts";

export const layerNormBackwardOp = /* @__PURE__ */ defineOp("layerNormBackward", layerNormBackwardKernel, { wasm });
/**
 * The gradients of layerNorm(x, weight, bias, epsilon) for the gradient dy of its result: of x [..., C], of weight [C] and of
 * bias [C]. Mean and variance are computed again.
 */
export function layerNormBackward(x: View, weight: View, dy: View, epsilon = 1e-5): readonly [View, View, View] {
  for (const [what, view] of [
    ["x", x],
    ["weight", weight],
    ["dy", dy],
  ] as const) {
    expectDType("layerNormBackward", what, view, "float32");
  }
  const C = x.shape.at(-1);
  if (C === undefined) {
    throw new ShapeMismatchError("layerNormBackward", "x must have at least one axis [..., C], got []");
  }
  expectShape("layerNormBackward", "weight", weight, [C]);
  expectShape("layerNormBackward", "dy", dy, x.shape);
  const perColumn = { dtype: "float32", shape: [C] } as const;
  const specs = [{ dtype: "float32", shape: x.shape }, perColumn, perColumn] as const;
  return dispatch(layerNormBackwardOp, [x, weight, dy], { epsilon }, specs);
}
