import { layerNormOp } from "../../ops/normalize.ts";
import * as softmaxOps from "../../ops/softmax.ts";
import type { Tensor } from "../../tensor.ts";
import { fromResult, type RuleEntry, rule } from "../rule.ts";

export const normalizationRules: readonly RuleEntry[] = [
  // y·(dy − Σ dy·y)
  fromResult(softmaxOps.softmaxOp, softmaxGradient),
  // dy − eʸ·Σ dy
  fromResult(softmaxOps.logSoftmaxOp, (dy, y) => dy.sub(y.exp().mul(dy.sum(-1 as number, true))) as Tensor),
  // n·weight + bias, n = (x − μ)·s, s = 1/√(σ² + ε). With g = weight·dy: dx = s·(g − mean g − n·mean(g·n)); n·dy and dy, over rows
  rule(layerNormOp, {
    saves: ([x, weight]) => ({ inputs: [x! || weight!, x!] }),
    gradients: ({ dy, input, params: { epsilon }, needs: [needsX, needsWeight, needsBias] }) => {
      const rows = dy.shape.map((_, axis) => axis).slice(0, -1);
      const mean = (of: Tensor): Tensor => of.mean(-1 as number, true) as Tensor;
      const dbias = needsBias ? (dy.sum(rows) as Tensor) : undefined;
      if (!needsX && !needsWeight) return [undefined, undefined, dbias];
      const centred = input(0).sub(mean(input(0))) as Tensor;
      const scale = mean(centred.square()).add(epsilon).sqrt();
      const n = centred.div(scale) as Tensor;
      const dweight = needsWeight ? (dy.mul(n).sum(rows) as Tensor) : undefined;
      if (!needsX) return [undefined, dweight, dbias];
      const g = dy.mul(input(1)) as Tensor;
      const dx = g
        .sub(mean(g))
        .sub(n.mul(mean(g.mul(n) as Tensor)))
        .div(scale) as Tensor;
      return [dx, dweight, dbias];
    },
  }),
];

/** The gradient by what y is the softmax of, along the last axis. */
export function softmaxGradient(dy: Tensor, y: Tensor): Tensor {
  return dy.sub(dy.mul(y).sum(-1 as number, true)).mul(y) as Tensor;
}
