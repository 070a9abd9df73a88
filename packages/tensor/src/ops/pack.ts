import { defineOp, type View } from "../backends/backend.ts";
import type { MatrixEncoding } from "../encodings/index.ts";
import { observed, watched } from "../observe.ts";
import { copyOp } from "./rearrange.ts";

/** What packing is to those who look on: the same elements, rounded to what the encoding holds. Devices do it their own way. */
export const packOp = /* @__PURE__ */ defineOp<{ readonly encoding: MatrixEncoding }>("pack", (inputs, _, outputs) =>
  copyOp.reference(inputs, undefined, outputs),
);

/** A matrix in the order that its device's matmul reads; may be the view it was given. */
export function pack(matrix: View<"float32">, encoding: MatrixEncoding): View<"float32"> {
  const { backend } = matrix.storage;
  if (!watched) return backend.pack(matrix, encoding);
  const call = { op: packOp, inputs: [matrix], params: { encoding } };
  return observed(call, backend.synchronous, undefined, () => [backend.pack(matrix, encoding)])[0] as View<"float32">;
}
