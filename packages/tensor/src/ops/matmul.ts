import { defineOp, type View } from "../backends/backend.ts";
import { dispatch } from "../backends/dispatch.ts";
import { linearKernel, matmulKernel } from "../backends/reference/matmul.ts";
import { ShapeMismatchError } from "../errors.ts";
import { broadcastShapes, contiguousStrides, showShape } from "../shape.ts";
import { type Activation, activations } from "./activation.ts";
import { expectDType, expectRank, expectShape } from "./checks.ts";
import { usingIntermediate } from "./intermediate.ts";
import { copy } from "./rearrange.ts";
import { expand, reshapeView, squeeze, unsqueeze } from "./views.ts";

export const matmulOp = /* @__PURE__ */ defineOp("matmul", matmulKernel);
/**
 * a [..., M, K] × b [..., K, N] → [..., M, N], float32; leading axes broadcast. As in `torch.matmul`, a vector on the
 * left is a row and one on the right a column, and the axis this adds disappears from the result.
 */
export function matmul(a: View, b: View): View {
  expectDType("matmul", "a", a, "float32");
  expectDType("matmul", "b", b, "float32");
  if (a.shape.length === 0 || b.shape.length === 0) {
    throw new ShapeMismatchError(
      "matmul",
      `scalars have no axis to multiply along (${showShape(a.shape)} × ${showShape(b.shape)})`,
    );
  }
  const left = a.shape.length === 1 ? unsqueeze(a, 0) : a;
  const right = b.shape.length === 1 ? unsqueeze(b, 1) : b;
  const [M, K] = left.shape.slice(-2) as [number, number];
  const [inner, N] = right.shape.slice(-2) as [number, number];
  if (K !== inner) {
    throw new ShapeMismatchError(
      "matmul",
      `inner sizes ${K} and ${inner} differ (${showShape(a.shape)} × ${showShape(b.shape)})`,
    );
  }
  const batch = broadcastShapes("matmul", left.shape.slice(0, -2), right.shape.slice(0, -2));
  const inputs = [expand(left, [...batch, M, K]), expand(right, [...batch, K, N])];
  let out: View = dispatch(matmulOp, inputs, undefined, [{ dtype: "float32", shape: [...batch, M, N] }])[0];
  if (b.shape.length === 1) out = squeeze(out, -1);
  if (a.shape.length === 1) out = squeeze(out, b.shape.length === 1 ? -1 : -2);
  return out;
}

export const linearOp = /* @__PURE__ */ defineOp("linear", linearKernel);
/**
 * activation(x·w + bias): x [..., K], w [K, N], bias [N] → [..., N], float32. Weights are [inputs, outputs], as GPT-2's
 * checkpoints have them; w may be packed. GPT-2's GELU is applied before sums are stored, others are an operation of their own.
 */
export function linear(x: View, w: View, bias?: View, activation: Activation = "none"): View {
  if (activation !== "none" && activation !== "gelu") {
    return usingIntermediate(linear(x, w, bias), activations[activation]);
  }
  for (const [what, view] of [
    ["x", x],
    ["w", w],
    ["bias", bias],
  ] as const) {
    if (view) expectDType("linear", what, view, "float32");
  }
  expectRank("linear", "w", w, 2, "[K, N]");
  const [K, N] = w.shape as [number, number];
  if (x.shape.length === 0) throw new ShapeMismatchError("linear", "x must have at least one axis [..., K], got []");
  if (x.shape.at(-1) !== K) {
    throw new ShapeMismatchError(
      "linear",
      `inner sizes ${x.shape.at(-1)} and ${K} differ (${showShape(x.shape)} × ${showShape(w.shape)})`,
    );
  }
  if (bias) expectShape("linear", "bias", bias, [N]);
  const lead = x.shape.slice(0, -1);
  const M = lead.reduce((product, dim) => product * dim, 1);
  const rows = reshapeView(x, [M, K]);
  const apply = (matrix: View): View => {
    const inputs = bias ? [matrix, w, bias] : [matrix, w];
    const [out] = dispatch(linearOp, inputs, { activation }, [{ dtype: "float32", shape: [M, N] }]);
    return { ...out, shape: [...lead, N], strides: contiguousStrides([...lead, N]) };
  };
  return rows ? apply(rows) : usingIntermediate(copy(x), (copied) => apply(reshapeView(copied, [M, K])!));
}
