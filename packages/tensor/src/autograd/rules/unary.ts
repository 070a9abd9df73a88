import type { ActivationName } from "../../backends/reference/backward/activation.ts";
import { cos, sign, sin, where } from "../../functional/elementwise.ts";
import { activationBackward } from "../../ops/backward/activation.ts";
import * as ops from "../../ops/unary.ts";
import { type Tensor, wrap } from "../../tensor.ts";
import { fromGradient, fromOperand, fromResult, type RuleEntry, zeroGradient } from "../rule.ts";

// y is a function of x, element by element: dx = y′(x)·dy.

export const unaryRules: readonly RuleEntry[] = [
  // −x
  fromGradient(ops.negOp, (dy) => dy.neg()),
  // |x|: the sign of x, 0 at 0
  fromOperand(ops.absOp, (dy, x) => sign(x).mul(dy)),
  // x²: 2x
  fromOperand(ops.squareOp, (dy, x) => dy.mul(x).mul(2)),
  // √x: 1 / 2y
  fromResult(ops.sqrtOp, (dy, y) => dy.div(y).mul(0.5)),
  // 1/√x: −y³ / 2
  fromResult(ops.rsqrtOp, (dy, y) => y.square().mul(y).mul(dy).mul(-0.5)),
  // 1/x: −y²
  fromResult(ops.reciprocalOp, (dy, y) => y.square().mul(dy).neg()),
  // eˣ: y
  fromResult(ops.expOp, (dy, y) => dy.mul(y)),
  // eˣ − 1: y + 1
  fromResult(ops.expm1Op, (dy, y) => y.add(1).mul(dy)),
  // log x: 1 / x
  fromOperand(ops.logOp, (dy, x) => dy.div(x)),
  // log₂ x: 1 / (x log 2)
  fromOperand(ops.log2Op, (dy, x) => dy.div(x).mul(Math.LOG2E)),
  // log(1 + x): 1 / (1 + x)
  fromOperand(ops.log1pOp, (dy, x) => dy.div(x.add(1))),
  // sin x: cos x
  fromOperand(ops.sinOp, (dy, x) => cos(x).mul(dy)),
  // cos x: −sin x
  fromOperand(ops.cosOp, (dy, x) => sin(x).mul(dy).neg()),
  // tanh x: 1 − y²
  fromResult(ops.tanhOp, (dy, y) => dy.sub(y.square().mul(dy))),
  // σ(x): y(1 − y)
  fromResult(ops.sigmoidOp, (dy, y) => y.sub(y.square()).mul(dy)),
  // erf x: 2/√π · e^(−x²)
  fromOperand(ops.erfOp, (dy, x) =>
    x
      .square()
      .neg()
      .exp()
      .mul(dy)
      .mul(2 / Math.sqrt(Math.PI)),
  ),
  // max(x, 0): 1 above 0, else 0
  fromResult(ops.reluOp, (dy, y) => where(y.gt(0), dy, 0)),
  fromOperand(ops.geluOp, activationGradient("gelu")),
  fromOperand(ops.geluExactOp, activationGradient("geluExact")),
  fromOperand(ops.siluOp, activationGradient("silu")),
  fromOperand(ops.quickGeluOp, activationGradient("quickGelu")),
  // Steps
  zeroGradient(ops.signOp),
  zeroGradient(ops.floorOp),
  zeroGradient(ops.ceilOp),
  zeroGradient(ops.roundOp),
  // Between floats a cast is a copy. From integers there is nothing to go back to: the tape knows which operation made them.
  fromGradient(ops.castOp, (dy) => dy),
];

/** dx = f′(x)·dy */
function activationGradient(activation: ActivationName): (dy: Tensor, x: Tensor) => Tensor {
  return (dy, x) => wrap(activationBackward(x, dy, activation)) as Tensor;
}
