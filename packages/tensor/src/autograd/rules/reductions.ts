import { where } from "../../functional/elementwise.ts";
import { flip } from "../../functional/rearranging.ts";
import { cumsum } from "../../functional/rows.ts";
import * as ops from "../../ops/reduce.ts";
import { sizeOf } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { type RuleEntry, rule, type Taped } from "../rule.ts";

/** How many of the last axes were reduced: x [...lead, ...reduced] → y [...lead]. */
interface Params {
  readonly axes: number;
}

export const reductionRules: readonly RuleEntry[] = [
  // Σ x: every x counts once
  rule(ops.sumOp, { saves: () => ({}), gradients: (taped) => [spread(taped, taped.dy)] }),
  // Σ x / n
  rule(ops.meanOp, {
    saves: () => ({}),
    gradients: (taped) => [spread(taped, taped.dy.div(countOf(taped)))],
  }),
  // Π x: the product of the others, which is y/x unless there is a zero: then only a single one's is not zero
  rule(ops.prodOp, {
    saves: () => ({ inputs: [true] }),
    gradients: (taped) => {
      const x = taped.input(0);
      const isZero = x.eq(0);
      const zeros = spread(taped, isZero.sum(reducedAxes(taped)).cast("float32") as Tensor);
      const filled = where(isZero, 1, x) as Tensor;
      const product = spread(taped, filled.prod(reducedAxes(taped)) as Tensor);
      const others = where(zeros.eq(0), product.div(filled), where(isZero, where(zeros.eq(1), product, 0), 0));
      return [others.mul(spread(taped, taped.dy)) as Tensor];
    },
  }),
  rule(ops.maxOp, { saves: () => ({ inputs: [true], outputs: [true] }), gradients: (taped) => [ofExtremes(taped)] }),
  rule(ops.minOp, { saves: () => ({ inputs: [true], outputs: [true] }), gradients: (taped) => [ofExtremes(taped)] }),
  // log Σ eˣ: softmax, eˣ⁻ʸ
  rule(ops.logSumExpOp, {
    saves: () => ({ inputs: [true], outputs: [true] }),
    gradients: (taped) => {
      const softmax = taped.input(0).sub(spread(taped, taped.output())).exp();
      return [softmax.mul(spread(taped, taped.dy)) as Tensor];
    },
  }),
  // y[j] = Σ x[i] for i ≤ j: dx[i] = Σ dy[j] for j ≥ i
  rule(ops.cumsumOp, { saves: () => ({}), gradients: ({ dy }) => [flip(cumsum(flip(dy, -1), -1), -1)] }),
];

/** dy for the element that was taken, in equal parts where there are several, as PyTorch's `amax` has it. */
function ofExtremes(taped: Taped<Params>): Tensor {
  const taken = taped.input(0).eq(spread(taped, taped.output()));
  const share = taped.dy.div(taken.sum(reducedAxes(taped)).cast("float32")) as Tensor;
  return where(taken, spread(taped, share), 0) as Tensor;
}

/** A value for each result, stretched to the operand's shape. */
function spread({ operands: [x], params }: Taped<Params>, ofResult: Tensor): Tensor {
  const lead = x!.shape.slice(0, x!.shape.length - params.axes);
  return ofResult.reshape([...lead, ...Array<number>(params.axes).fill(1)]).expand(x!.shape);
}

function reducedAxes({ operands: [x], params }: Taped<Params>): number[] {
  return x!.shape.map((_, axis) => axis).slice(x!.shape.length - params.axes);
}

function countOf({ operands: [x], params }: Taped<Params>): number {
  return sizeOf(x!.shape.slice(x!.shape.length - params.axes));
}
