import { defineOp, type View } from "../backends/backend.ts";
import { dispatch } from "../backends/dispatch.ts";
import { encodeVectorsKernel } from "../backends/reference/vectors.ts";
import { type VectorEncoding, vectorBytes } from "../encodings/vectors.ts";
import { expectDType, expectRank } from "./checks.ts";

export const encodeVectorsOp = /* @__PURE__ */ defineOp("encodeVectors", encodeVectorsKernel);
/** x [T, H, D] → [T, H, B], uint8: each vector of D numbers in the B bytes of an encoding, its scale among them. */
export function encodeVectors(x: View, encoding: VectorEncoding): View<"uint8"> {
  expectDType("encodeVectors", "x", x, "float32");
  expectRank("encodeVectors", "x", x, 3, "[T, H, D]");
  const [T, H, D] = x.shape as readonly [number, number, number];
  const shape = [T, H, vectorBytes(encoding, D)];
  return dispatch(encodeVectorsOp, [x], { encoding }, [{ dtype: "uint8", shape }])[0];
}
