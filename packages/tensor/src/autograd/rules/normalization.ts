import { columnSums } from "../../ops/backward/columns.ts";
import { layerNormBackward } from "../../ops/backward/normalize.ts";
import { logSoftmaxBackward, softmaxBackward } from "../../ops/backward/softmax.ts";
import { layerNormOp } from "../../ops/normalize.ts";
import * as softmaxOps from "../../ops/softmax.ts";
import { type Tensor, wrap } from "../../tensor.ts";
import { fromResult, type RuleEntry, rule } from "../rule.ts";

export const normalizationRules: readonly RuleEntry[] = [
  // y·(dy − Σ dy·y)
  fromResult(softmaxOps.softmaxOp, softmaxGradient),
  // dy − eʸ·Σ dy
  fromResult(softmaxOps.logSoftmaxOp, (dy, y) => wrap(logSoftmaxBackward(y, dy, -1)) as Tensor),
  // n·weight + bias, n = (x − μ)·s, s = 1/√(σ² + ε). With g = weight·dy: dx = s·(g − mean g − n·mean(g·n)); n·dy and dy, over rows
  rule(layerNormOp, {
    saves: ([x, weight]) => ({ inputs: [x! || weight!, x! || weight!] }),
    gradients: ({ dy, input, params: { epsilon }, needs: [x, weight] }) =>
      x || weight
        ? layerNormBackward(input(0), input(1), dy, epsilon).map((gradient) => wrap(gradient) as Tensor)
        : [undefined, undefined, wrap(columnSums(dy)) as Tensor],
  }),
];

/** The gradient by what y is the softmax of, along the last axis. */
export function softmaxGradient(dy: Tensor, y: Tensor): Tensor {
  return wrap(softmaxBackward(y, dy, -1)) as Tensor;
}
