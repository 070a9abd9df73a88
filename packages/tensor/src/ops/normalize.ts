import { defineOp, type View } from "../backends/backend.ts";
import { dispatch } from "../backends/dispatch.ts";
import { layerNormKernel } from "../backends/reference/normalize.ts";
import { ShapeMismatchError } from "../errors.ts";
import { expectDType, expectShape } from "./checks.ts";

export const layerNormOp = /* @__PURE__ */ defineOp("layerNorm", layerNormKernel);
/**
 * Each row of x [..., C] shifted and scaled to mean 0 and variance 1, then times weight [C] plus bias [C]; float32.
 * `epsilon` (10⁻⁵ in GPT-2) is added to the variance.
 */
export function layerNorm(x: View, weight: View, bias: View, epsilon = 1e-5): View {
  for (const [what, view] of [
    ["x", x],
    ["weight", weight],
    ["bias", bias],
  ] as const) {
    expectDType("layerNorm", what, view, "float32");
  }
  const C = x.shape.at(-1);
  if (C === undefined) throw new ShapeMismatchError("layerNorm", "x must have at least one axis [..., C], got []");
  expectShape("layerNorm", "weight", weight, [C]);
  expectShape("layerNorm", "bias", bias, [C]);
  return dispatch(layerNormOp, [x, weight, bias], { epsilon }, [{ dtype: "float32", shape: x.shape }])[0];
}
