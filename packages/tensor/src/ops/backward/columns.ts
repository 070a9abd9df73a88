import { defineOp, type View } from "../../backends/backend.ts";
import { dispatch } from "../../backends/dispatch.ts";
import { columnSumsKernel } from "../../backends/reference/backward/columns.ts";
import { columnSums as wasm } from "../../backends/wasm/training/sums.ts";
import { ShapeMismatchError } from "../../errors.ts";
import { expectDType } from "../checks.ts";

export const columnSumsOp = /* @__PURE__ */ defineOp("columnSums", columnSumsKernel, { wasm });
/** The sum of all rows of x [..., N] → [N], float32: the gradient of a bias. Blocks of 256 rows are added in order. */
export function columnSums(x: View): View {
  expectDType("columnSums", "x", x, "float32");
  const N = x.shape.at(-1);
  if (N === undefined) throw new ShapeMismatchError("columnSums", "x must have at least one axis [..., N], got []");
  return dispatch(columnSumsOp, [x], undefined, [{ dtype: "float32", shape: [N] }])[0];
}
