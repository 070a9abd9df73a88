import { zeros } from "../../functional/creation.ts";
import { targetLogProbsBackward, targetLogProbsWithLogits } from "../../ops/backward/cross-entropy.ts";
import { targetLogProbsOp } from "../../ops/cross-entropy.ts";
import { type Tensor, wrap } from "../../tensor.ts";
import { type RuleEntry, rule } from "../rule.ts";
import { isInjective } from "../windows.ts";

/** Logits that may be kept (256 MiB), which saves a ninth of the time of a step of GPT-2; more are computed again. */
const KEPT_LOGITS = 2 ** 26;

export const lossRules: readonly RuleEntry[] = [
  // z = x·w, p = softmax(z): the log-probability of the target has the gradient onehot − p by z, log Σ eᶻ has p
  rule(targetLogProbsOp, {
    discrete: [2],
    saves: () => ({ inputs: [true, true, true], outputs: [false, true] }),
    forward({ inputs }) {
      const [x, w] = inputs;
      if (x!.shape[0]! * w!.shape[1]! > KEPT_LOGITS) return undefined;
      const [logProbs, logSumExp, logits] = targetLogProbsWithLogits(inputs);
      return { outputs: [logProbs, logSumExp], kept: [logits] };
    },
    gradients: ({ dys, input, output, kept, operands, needs, addTo }) => {
      const logSumExp = output(1);
      const [dLogProbs, dLogSumExp] = dys.map((dy) => dy ?? zeros(logSumExp.shape, { device: logSumExp.device }));
      const call = { x: input(0), w: input(1), targets: input(2), logSumExp, logits: kept(0) };
      const through = (dw?: Tensor): Tensor =>
        wrap(targetLogProbsBackward({ ...call, dLogProbs: dLogProbs!, dLogSumExp: dLogSumExp!, dw })) as Tensor;
      if (!needs[1]) return [through()];
      if (!isInjective(operands[1]!)) {
        const dw: Tensor = zeros(operands[1]!.shape, { device: logSumExp.device });
        return [through(dw), dw];
      }
      let dx: Tensor | undefined;
      addTo(1, (dw) => {
        dx = through(dw);
      });
      return [dx];
    },
  }),
];
