import { defineOp, type View } from "../backends/backend.ts";
import { dispatch } from "../backends/dispatch.ts";
import { type CategoricalParams, categoricalKernel } from "../backends/reference/categorical.ts";
import { expectDType, expectRank } from "./checks.ts";

export const categoricalOp = /* @__PURE__ */ defineOp("categorical", categoricalKernel);
/** An index of each row of logits [R, N], drawn by the row's uniform number → [R] (int32). */
export function categorical(logits: View, params: CategoricalParams): View<"int32"> {
  expectDType("categorical", "logits", logits, "float32");
  expectRank("categorical", "logits", logits, 2, "[R, N]");
  const [ids] = dispatch(categoricalOp, [logits], params, [{ dtype: "int32", shape: [logits.shape[0]!] }]);
  return ids;
}
