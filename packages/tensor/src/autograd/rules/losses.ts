import { scatterAdd } from "../../functional/rows.ts";
import { targetLogProbsOp } from "../../ops/cross-entropy.ts";
import type { Tensor } from "../../tensor.ts";
import type { Shape } from "../../types/shape-types.ts";
import { type RuleEntry, rule } from "../rule.ts";
import { leftGradient, rightGradient } from "./products.ts";

export const lossRules: readonly RuleEntry[] = [
  // z = x·w, p = softmax(z): the log-probability of the target has the gradient onehot − p by z, log Σ eᶻ has p
  rule(targetLogProbsOp, {
    discrete: [2],
    saves: () => ({ inputs: [true, true, true] }),
    gradients: ({ dys: [dLogProbs, dLogSumExp], input, operands, needs: [needsX, needsW] }) => {
      const [x, w] = [input(0), input(1)];
      const targets = input(2) as unknown as Tensor<Shape, "int32">;
      const p = x.matmul(w as Tensor<never>).softmax(-1 as number) as Tensor;
      const ofP = dLogProbs && dLogSumExp ? dLogSumExp.sub(dLogProbs) : (dLogSumExp ?? dLogProbs!.neg());
      const spread = p.mul((ofP as Tensor).unsqueeze(-1)) as Tensor;
      const dz = dLogProbs
        ? (scatterAdd(spread, -1, targets.unsqueeze(-1), dLogProbs.unsqueeze(-1) as Tensor) as Tensor)
        : spread;
      return [needsX ? leftGradient(dz, w) : undefined, needsW ? rightGradient(x, dz, operands[1]!) : undefined];
    },
  }),
];
