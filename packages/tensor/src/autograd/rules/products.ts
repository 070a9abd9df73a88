import type { View } from "../../backends/backend.ts";
import { linear } from "../../functional/nn.ts";
import * as ops from "../../ops/matmul.ts";
import { sizeOf } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { type RuleEntry, rule } from "../rule.ts";
import { activationGradient } from "./activation.ts";

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
    saves: ([x, w], { activation }) => {
      const all = activation !== "none";
      return { inputs: [all || w!, all || x!, all] };
    },
    gradients: ({ dy, input, operands, params: { activation }, needs: [x, w, bias] }) => {
      let dz = dy;
      if (activation !== "none") {
        const z = linear(input(0), input(1), operands.length > 2 ? input(2) : undefined) as Tensor;
        dz = activationGradient(activation, z, dy);
      }
      return [
        x ? leftGradient(dz, input(1)) : undefined,
        w ? rightGradient(input(0), dz, operands[1]!) : undefined,
        bias ? (dz.sum(0 as number) as Tensor) : undefined,
      ];
    },
  }),
];

/** dy·bᵀ */
export function leftGradient(dy: Tensor, b: Tensor): Tensor {
  return dy.matmul(b.transpose() as Tensor<never>) as Tensor;
}

/**
 * aᵀ·dy, laid out as `b` is, so that it need not be copied there. A matrix that all products of a batch share gets the sum over the
 * batch, in one product of all rows.
 */
export function rightGradient(a: Tensor, dy: Tensor, b: View): Tensor {
  const batch = b.shape.slice(0, -2);
  if (batch.length > 0 && batch.every((size, axis) => size === 1 || b.strides[axis] === 0)) {
    const rows = (x: Tensor): Tensor => x.reshape([sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]);
    const matrix = { ...b, shape: b.shape.slice(-2), strides: b.strides.slice(-2) };
    const sum = rightGradient(rows(a), rows(dy), matrix);
    return sum.reshape([...batch.map(() => 1), ...sum.shape]) as Tensor;
  }
  const [rowStep, columnStep] = b.strides.slice(-2) as [number, number];
  if (rowStep >= columnStep) return a.transpose().matmul(dy as Tensor<never>) as Tensor;
  return dy
    .transpose()
    .matmul(a as Tensor<never>)
    .transpose() as Tensor;
}
