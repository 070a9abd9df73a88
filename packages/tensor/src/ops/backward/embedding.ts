import { defineOp, type View } from "../../backends/backend.ts";
import { dispatchInto } from "../../backends/dispatch.ts";
import { embeddingBackwardKernel } from "../../backends/reference/backward/embedding.ts";
import { embeddingBackward as wasm } from "../../backends/wasm/training/embedding.ts";
import { expectDType, expectRank, expectShape } from "../checks.ts";

export const embeddingBackwardOp = /* @__PURE__ */ defineOp("embeddingBackward", embeddingBackwardKernel, { wasm });
/**
 * Adds the gradient of the table in embedding(table, ids) to `dTable` [V, C], for the gradient dy [..., C] of the rows chosen by ids
 * [...] (int32, 0 to V − 1): row by row, in the order of the ids.
 */
export function embeddingBackwardInto(ids: View, dy: View, dTable: View): void {
  expectDType("embeddingBackward", "ids", ids, "int32");
  expectDType("embeddingBackward", "dy", dy, "float32");
  expectDType("embeddingBackward", "dTable", dTable, "float32");
  expectRank("embeddingBackward", "dTable", dTable, 2, "[V, C]");
  expectShape("embeddingBackward", "dy", dy, [...ids.shape, dTable.shape[1]!]);
  dispatchInto(embeddingBackwardOp, [ids, dy], undefined, [dTable]);
}
