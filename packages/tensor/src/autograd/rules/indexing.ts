import { arange, fullLike, zeros } from "../../functional/creation.ts";
import { where } from "../../functional/elementwise.ts";
import { gather, scatter, scatterAdd } from "../../functional/rows.ts";
import { embeddingBackwardInto } from "../../ops/backward/embedding.ts";
import { embeddingOp } from "../../ops/embedding.ts";
import * as ops from "../../ops/indexing.ts";
import type { Tensor } from "../../tensor.ts";
import type { Shape } from "../../types/shape-types.ts";
import { type RuleEntry, rule, type Taped } from "../rule.ts";
import { isInjective } from "../windows.ts";

type Indices = Tensor<Shape, "int32">;

// All of them work along the last axis.

export const indexingRules: readonly RuleEntry[] = [
  // A row of the table gets the sum of what it was copied to.
  rule(embeddingOp, {
    discrete: [1],
    saves: () => ({ inputs: [false, true] }),
    gradients: ({ dy, operands: [table], input }) => {
      if (isInjective(table!)) return [{ addTo: (dTable) => embeddingBackwardInto(input(1), dy, dTable) }];
      const dTable: Tensor = zeros(table!.shape, { device: dy.device });
      embeddingBackwardInto(input(1), dy, dTable);
      return [dTable];
    },
  }),
  // An element gets the sum of what it was copied to.
  rule(ops.gatherOp, {
    discrete: [1],
    saves: () => ({ inputs: [false, true] }),
    gradients: ({ dy, operands: [x], input }) => [putBack(x!.shape, input(1), dy)],
  }),
  // The elements that were replaced get nothing; of several written to one place the last one counts.
  rule(ops.scatterOp, {
    discrete: [1],
    saves: () => ({ inputs: [false, true] }),
    gradients: ({ dy, input, needs: [x, , src] }) => {
      const indices = input(1) as unknown as Indices;
      const none: Tensor = zeros(indices.shape, { device: dy.device });
      return [
        x ? scatter(dy, -1, indices, none) : undefined,
        undefined,
        src ? (where(isLast(indices, dy), gather(dy, -1, indices), 0) as Tensor) : undefined,
      ];
    },
  }),
  rule(ops.scatterAddOp, {
    discrete: [1],
    saves: ([, , src]) => ({ inputs: [false, src!] }),
    gradients: ({ dy, input, needs: [, , src] }) => [
      dy,
      undefined,
      src ? gather(dy, -1, input(1) as unknown as Indices) : undefined,
    ],
  }),
  rule(ops.sortOp, { saves: () => ({ outputs: [false, true] }), gradients: ofValues }),
  rule(ops.topKOp, { saves: () => ({ outputs: [false, true] }), gradients: ofValues }),
];

/** Values go back to where the indices say that they came from. */
function ofValues({ dys: [dy], operands: [x], output }: Taped): readonly (Tensor | undefined)[] {
  return [dy && putBack(x!.shape, output(1), dy)];
}

function putBack(shape: readonly number[], indices: Tensor, dy: Tensor): Tensor {
  const none: Tensor = zeros(shape, { device: dy.device });
  return scatterAdd(none, -1, indices as unknown as Indices, dy as Tensor<never>);
}

/** Whether no later index of the row is the same. */
function isLast(indices: Indices, written: Tensor): Tensor<Shape, "bool"> {
  const { device } = indices;
  const numbers = arange(0, indices.shape.at(-1)!, 1, { dtype: "int32", device }).expand(indices.shape) as Indices;
  const nobody = fullLike(written, -1).cast("int32") as Indices;
  return gather(scatter(nobody, -1, indices, numbers), -1, indices).eq(numbers) as Tensor<Shape, "bool">;
}
