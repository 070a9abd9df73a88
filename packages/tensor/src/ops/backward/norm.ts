import { defineOp, type View } from "../../backends/backend.ts";
import { dispatch } from "../../backends/dispatch.ts";
import { squaredNormKernel } from "../../backends/reference/backward/norm.ts";
import { squaredNorm as wasm } from "../../backends/wasm/training/sums.ts";
import { expectDType } from "../checks.ts";

export const squaredNormOp = /* @__PURE__ */ defineOp("squaredNorm", squaredNormKernel, { wasm });
/** The sum of the squares of x [...] → [], float32, summed in float64 in an order that depends on the number of elements alone. */
export function squaredNorm(x: View): View {
  expectDType("squaredNorm", "x", x, "float32");
  return dispatch(squaredNormOp, [x], undefined, [{ dtype: "float32", shape: [] }])[0];
}
