import { logicalAnd, round, where } from "../../functional/elementwise.ts";
import * as ops from "../../ops/binary.ts";
import type { Tensor } from "../../tensor.ts";
import { type RuleEntry, rule, type Taped } from "../rule.ts";

// y of a and b, element by element. Operands that were broadcast come stretched: the tape sums over what was stretched.

export const binaryRules: readonly RuleEntry[] = [
  rule(ops.addOp, { saves: () => ({}), gradients: ({ dy }) => [dy, dy] }),
  rule(ops.subOp, { saves: () => ({}), gradients: ({ dy, needs: [, b] }) => [dy, b ? dy.neg() : undefined] }),
  rule(ops.mulOp, {
    saves: ([a, b]) => ({ inputs: [b!, a!] }),
    gradients: ({ dy, input, needs: [a, b] }) => [a ? dy.mul(input(1)) : undefined, b ? dy.mul(input(0)) : undefined],
  }),
  // a/b: 1/b and −y/b
  rule(ops.divOp, {
    saves: ([, b]) => ({ inputs: [false, true], outputs: [b!] }),
    gradients: ({ dy, input, output, needs: [, b] }) => {
      const da = dy.div(input(1));
      return [da, b ? da.mul(output()).neg() : undefined];
    },
  }),
  // aᵇ: b·aᵇ⁻¹ (0 for b = 0) and y·log a (0 where a = 0 and b ≥ 0)
  rule(ops.powOp, {
    saves: ([, b]) => ({ inputs: [true, true], outputs: [b!] }),
    gradients: ({ dy, input, output, needs: [needsA, needsB] }) => {
      const [a, b] = [input(0), input(1)];
      return [
        needsA ? where(b.eq(0), 0, dy.mul(b).mul(a.pow(b.sub(1)))) : undefined,
        needsB ? where(logicalAnd(a.eq(0), b.ge(0)), 0, dy.mul(output()).mul(a.log())) : undefined,
      ];
    },
  }),
  // a − b·⌊a/b⌋: 1 and −⌊a/b⌋
  rule(ops.modOp, {
    saves: ([, b]) => ({ inputs: [b!, b!], outputs: [b!] }),
    gradients: ({ dy, input, output, needs: [, b] }) => [
      dy,
      b
        ? round(input(0).sub(output()).div(input(1)))
            .mul(dy)
            .neg()
        : undefined,
    ],
  }),
  rule(ops.maximumOp, {
    saves: () => ({ inputs: [true, true] }),
    gradients: (taped) => chosen(taped, (a, b) => a.gt(b)),
  }),
  rule(ops.minimumOp, {
    saves: () => ({ inputs: [true, true] }),
    gradients: (taped) => chosen(taped, (a, b) => a.lt(b)),
  }),
  rule(ops.whereOp, {
    discrete: [0],
    saves: () => ({ inputs: [true] }),
    gradients: ({ dy, input, needs: [, a, b] }) => {
      const condition = input(0) as unknown as Tensor<readonly number[], "bool">;
      return [undefined, a ? where(condition, dy, 0) : undefined, b ? where(condition, 0, dy) : undefined];
    },
  }),
];

/** All of dy for the operand that was chosen, half of it for each of two equals. */
function chosen(
  { dy, input, needs }: Taped,
  wins: (a: Tensor, b: Tensor) => Tensor<readonly number[], "bool">,
): readonly (Tensor | undefined)[] {
  const [a, b] = [input(0), input(1)];
  const ofEqual = where(a.eq(b), dy.mul(0.5), 0) as Tensor;
  const share = (x: Tensor, other: Tensor) => where(wins(x, other), dy, ofEqual) as Tensor;
  return [needs[0] ? share(a, b) : undefined, needs[1] ? share(b, a) : undefined];
}
