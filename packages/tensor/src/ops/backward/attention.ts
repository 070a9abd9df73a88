import { defineOp, type View } from "../../backends/backend.ts";
import { dispatch } from "../../backends/dispatch.ts";
import { attentionBackwardKernel } from "../../backends/reference/backward/attention.ts";
import { attentionBackward as wasm } from "../../backends/wasm/training/attention.ts";
import { ShapeMismatchError } from "../../errors.ts";
import { expectDType, expectRank, expectShape } from "../checks.ts";

export interface AttentionBackwardOptions {
  /** As attention had it. Default: 1/√D. */
  readonly scale?: number | undefined;
  /** As attention had it. Default true. */
  readonly causal?: boolean | undefined;
  /** The sequences, which must tile the T rows in order. Default: one over all rows. */
  readonly segments?: readonly { readonly start: number; readonly length: number }[] | undefined;
}

export const attentionBackwardOp = /* @__PURE__ */ defineOp("attentionBackward", attentionBackwardKernel, { wasm });
/**
 * The gradients of q, k and v in y = attention(q, k, v), for y and its gradient dy; all [T, H, D], float32. Of sequences without
 * a past. Probabilities are computed again, so that none are kept; the gradients of a sequence do not depend on others.
 */
export function attentionBackward(
  q: View,
  k: View,
  v: View,
  y: View,
  dy: View,
  options: AttentionBackwardOptions = {},
): readonly [View, View, View] {
  const op = "attentionBackward";
  expectDType(op, "q", q, "float32");
  expectRank(op, "q", q, 3, "[T, H, D]");
  for (const [what, view] of [
    ["k", k],
    ["v", v],
    ["y", y],
    ["dy", dy],
  ] as const) {
    expectDType(op, what, view, "float32");
    expectShape(op, what, view, q.shape);
  }
  const [T, , D] = q.shape as readonly number[] as readonly [number, number, number];
  const { scale = 1 / Math.sqrt(D), causal = true, segments: given = [{ start: 0, length: T }] } = options;
  let rows = 0;
  const segments = given.map(({ start, length }) => {
    if (start !== rows || !Number.isInteger(length) || length < 0) {
      const got = `start ${start} and length ${length}`;
      throw new ShapeMismatchError(op, `segments must follow each other: expected start ${rows}, got ${got}`);
    }
    rows += length;
    return { start, length };
  });
  if (rows !== T) throw new ShapeMismatchError(op, `segments of ${rows} rows do not fill q's ${T} rows`);
  const spec = { dtype: "float32", shape: q.shape } as const;
  return dispatch(attentionBackwardOp, [q, k, v, y, dy], { scale, causal, segments }, [spec, spec, spec] as const);
}
