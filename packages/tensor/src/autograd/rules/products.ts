import type { View } from "../../backends/backend.ts";
import { activationBackward } from "../../ops/backward/activation.ts";
import { columnSums } from "../../ops/backward/columns.ts";
import { linearWithSums } from "../../ops/backward/linear.ts";
import { matmulInto } from "../../ops/backward/matmul.ts";
import * as ops from "../../ops/matmul.ts";
import { transpose } from "../../ops/views.ts";
import { sizeOf } from "../../shape.ts";
import { type Tensor, wrap } from "../../tensor.ts";
import { type Contribution, type RuleEntry, rule } from "../rule.ts";
import { isInjective } from "../windows.ts";

export const productRules: readonly RuleEntry[] = [
  // a·b: dy·bᵀ and aᵀ·dy
  rule(ops.matmulOp, {
    saves: ([a, b]) => ({ inputs: [b!, a!] }),
    gradients: ({ dy, input, operands, needs: [a, b] }) => [
      a ? leftGradient(dy, input(1)) : undefined,
      b ? rightGradient(input(0), dy, operands[1]!) : undefined,
    ],
  }),
  // f(z), z = x·w + bias: dz = f′(z)·dy, then dz·wᵀ, xᵀ·dz and Σ dz over rows
  rule(ops.linearOp, {
    saves: ([x, w]) => ({ inputs: [w!, x!] }),
    forward({ inputs, params }) {
      const { activation } = params as Parameters<typeof linearWithSums>[1];
      if (activation === "none") return undefined;
      const [y, z] = linearWithSums(inputs, { activation });
      return { outputs: [y], kept: [z] };
    },
    gradients: ({ dy, input, kept, operands, params: { activation }, needs: [x, w, bias] }) => {
      const dz = activation === "none" ? dy : (wrap(activationBackward(kept(0)!, dy, activation)) as Tensor);
      return [
        x ? leftGradient(dz, input(1)) : undefined,
        w ? rightGradient(input(0), dz, operands[1]!) : undefined,
        bias ? (wrap(columnSums(dz)) as Tensor) : undefined,
      ];
    },
  }),
];

/** dy·bᵀ */
export function leftGradient(dy: Tensor, b: Tensor): Tensor {
  return dy.matmul(b.transpose() as Tensor<never>) as Tensor;
}

/**
 * aᵀ·dy, added where the gradient by b is, if that is one matrix. A matrix that all products of a batch share gets the sum over the
 * batch, in one product of all rows.
 */
export function rightGradient(a: Tensor, dy: Tensor, b: View): Contribution {
  if (b.shape.length === 2 && isInjective(b)) {
    return { addTo: (window) => matmulInto(transpose(a, 0, 1), dy, window, { accumulate: true }) };
  }
  const batch = b.shape.slice(0, -2);
  if (batch.every((size, axis) => size === 1 || b.strides[axis] === 0)) {
    const rows = (x: Tensor): Tensor => x.reshape([sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]);
    const sum = rows(a)
      .transpose()
      .matmul(rows(dy) as Tensor<never>) as Tensor;
    return sum.reshape([...batch.map(() => 1), ...sum.shape]) as Tensor;
  }
  return a.transpose().matmul(dy as Tensor<never>) as Tensor;
}
