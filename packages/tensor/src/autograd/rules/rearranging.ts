import { tril, triu } from "../../functional/rows.ts";
import { packOp } from "../../ops/pack.ts";
import * as ops from "../../ops/rearrange.ts";
import type { Tensor } from "../../tensor.ts";
import { fromGradient, type RuleEntry, rule } from "../rule.ts";

export const rearrangingRules: readonly RuleEntry[] = [
  fromGradient(ops.copyOp, (dy) => dy),
  // Packed as float32 a matrix is the same; with fewer bits it is another, which moves in steps.
  rule(packOp, {
    applies: ({ encoding }) => encoding === "f32",
    saves: () => ({}),
    gradients: ({ dy }) => [dy],
  }),
  fromGradient(ops.trilOp, (dy, { diagonal }) => tril(dy, diagonal)),
  fromGradient(ops.triuOp, (dy, { diagonal }) => triu(dy, diagonal)),
  // Each operand gets the part of dy where it stands.
  rule(ops.concatOp, {
    saves: () => ({}),
    gradients: ({ dy, operands, params: { axis } }) => {
      let start = 0;
      return operands.map(({ shape }) => {
        start += shape[axis]!;
        return dy.slice(axis, start - shape[axis]!, start) as Tensor;
      });
    },
  }),
];
