import { defineOp, type View } from "../backends/backend.ts";
import { dispatch } from "../backends/dispatch.ts";
import { embeddingKernel } from "../backends/reference/embedding.ts";
import { expectDType, expectRank } from "./checks.ts";

export const embeddingOp = /* @__PURE__ */ defineOp("embedding", embeddingKernel);
/** Rows of table [V, C] (float32) chosen by ids [...] (int32, 0 to V − 1) → [..., C]. */
export function embedding(table: View, ids: View): View {
  expectDType("embedding", "table", table, "float32");
  expectDType("embedding", "ids", ids, "int32");
  expectRank("embedding", "table", table, 2, "[V, C]");
  const shape = [...ids.shape, table.shape[1]!];
  return dispatch(embeddingOp, [table, ids], undefined, [{ dtype: "float32", shape }])[0];
}
