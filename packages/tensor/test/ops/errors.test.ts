import { describe, expect, it } from "vitest";
import type { View } from "../../src/backends/backend.ts";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import { type DType, newData } from "../../src/dtype.ts";
import { DTypeError, ShapeMismatchError } from "../../src/errors.ts";
import { sizeOf } from "../../src/shape.ts";
import { describeOnEveryBackend } from "../backends.ts";
import { type Operand, place } from "./operands.ts";
import { type Args, calls } from "./table.ts";

function zeros(shape: readonly number[], dtype: DType = "float32"): Operand {
  return { dtype, shape, data: Array.from(newData(dtype, sizeOf(shape))) };
}

const f = (...shape: number[]) => zeros(shape);
const i = (...shape: number[]) => zeros(shape, "int32");
const b = (...shape: number[]) => zeros(shape, "bool");
const ids = (...data: number[]): Operand => ({ dtype: "int32", shape: [data.length], data });

/** Op, operands, arguments, message. */
type Refusal = readonly [op: string, inputs: readonly Operand[], args: Args, message: string];

const refusals: readonly Refusal[] = [
  // elementwise
  ["add", [f(2, 3), f(2, 4)], {}, "add: shapes [2, 3] and [2, 4] do not broadcast: sizes 3 and 4 differ"],
  ["where", [b(3), f(2), f(1)], {}, "where: shapes [3] and [2] and [1] do not broadcast: sizes 3 and 2 differ"],
  ["maskedFill", [f(2), b(3)], { value: 0 }, "expand: [3] does not broadcast to [2]"],
  // reductions
  ["sum", [f(2, 3)], { axes: 2 }, "sum: axis 2 is outside a tensor of 2 dimensions"],
  ["sum", [f(2, 3)], { axes: [0, -2] }, "sum: axes [0, -2] name one of [2, 3] twice"],
  ["max", [f(2, 0)], { axes: 1 }, "max: has no value for no elements (axes [1] of [2, 0])"],
  ["min", [f(0)], {}, "min: has no value for no elements (axes [0] of [0])"],
  ["argMax", [f(2, 0)], { axes: -1 }, "argMax: has no value for no elements (axes [1] of [2, 0])"],
  ["argMin", [f(0, 2)], { axes: 0 }, "argMin: has no value for no elements (axes [0] of [0, 2])"],
  // along an axis
  ["softmax", [f(2, 3)], { axis: -3 }, "softmax: axis -3 is outside a tensor of 2 dimensions"],
  ["softmax", [f()], { axis: -1 }, "softmax: axis -1 is outside a tensor of 0 dimensions"],
  ["cumsum", [f(2)], { axis: 0.5 }, "cumsum: axis 0.5 is outside a tensor of 1 dimensions"],
  ["topK", [f(2, 3)], { axis: 1, k: 4 }, "topK: k must be a whole number up to the axis's size 3, got 4"],
  ["topK", [f(3)], { axis: 0, k: -1 }, "topK: k must be a whole number up to the axis's size 3, got -1"],
  ["gather", [f(2, 3), i(3, 1)], { axis: 1 }, "gather: indices [3, 1] must have the shape of x [2, 3] but for axis 1"],
  ["gather", [f(2, 3), i(2)], { axis: 1 }, "gather: indices [2] must have the shape of x [2, 3] but for axis 1"],
  ["scatter", [f(4), i(2), f(3)], { axis: 0 }, "scatter: src must be [2], got [3]"],
  // products and layers
  ["matmul", [f(2, 768), f(767, 10)], {}, "matmul: inner sizes 768 and 767 differ ([2, 768] × [767, 10])"],
  ["matmul", [f(3), f(4)], {}, "matmul: inner sizes 3 and 4 differ ([3] × [4])"],
  ["matmul", [f(), f(2, 2)], {}, "matmul: scalars have no axis to multiply along ([] × [2, 2])"],
  ["matmul", [f(2, 3, 4), f(3, 4, 5)], {}, "matmul: shapes [2] and [3] do not broadcast: sizes 2 and 3 differ"],
  ["linear", [f(2, 3), f(4, 5)], {}, "linear: inner sizes 3 and 4 differ ([2, 3] × [4, 5])"],
  ["linear", [f(), f(4, 5)], {}, "linear: x must have at least one axis [..., K], got []"],
  ["linear", [f(2, 4), f(4)], {}, "linear: w must have 2 axes [K, N], got [4]"],
  ["linear", [f(2, 4), f(4, 5), f(4)], {}, "linear: bias must be [5], got [4]"],
  ["targetLogProbs", [f(3), f(3, 5), i(1)], {}, "targetLogProbs: x must have 2 axes [R, K], got [3]"],
  ["targetLogProbs", [f(2, 3), f(5), i(2)], {}, "targetLogProbs: w must have 2 axes [K, V], got [5]"],
  ["targetLogProbs", [f(2, 3), f(4, 5), i(2)], {}, "targetLogProbs: inner sizes 3 and 4 differ ([2, 3] × [4, 5])"],
  ["targetLogProbs", [f(2, 3), f(3, 5), i(3)], {}, "targetLogProbs: targets must be [2], got [3]"],
  ["layerNorm", [f(2, 3), f(4), f(3)], {}, "layerNorm: weight must be [3], got [4]"],
  ["layerNorm", [f(2, 3), f(3), f(1)], {}, "layerNorm: bias must be [3], got [1]"],
  ["layerNorm", [f(), f(1), f(1)], {}, "layerNorm: x must have at least one axis [..., C], got []"],
  ["embedding", [f(5), i(2)], {}, "embedding: table must have 2 axes [V, C], got [5]"],
  ["attention", [f(4, 2), f(4, 2), f(4, 2)], {}, "attention: q must have 3 axes [T, H, D], got [4, 2]"],
  ["attention", [f(4, 2, 8), f(4, 2, 7), f(4, 2, 8)], {}, "attention: k must be [4, 2, 8], got [4, 2, 7]"],
  ["attention", [f(4, 2, 8), f(4, 2, 8), f(3, 2, 8)], {}, "attention: v must be [4, 2, 8], got [3, 2, 8]"],
  [
    "attention",
    [f(4, 2, 8), f(4, 2, 8), f(4, 2, 8)],
    { segments: [{ start: 0, length: 3, past: -1 }] },
    "attention: segments of 3 rows do not fill q's 4 rows",
  ],
  [
    "attention",
    [f(4, 2, 8), f(4, 2, 8), f(4, 2, 8)],
    { segments: [{ start: 1, length: 3, past: -1 }] },
    "attention: segments must follow each other: expected start 0, got start 1 and length 3",
  ],
  [
    "attention",
    [f(1, 2, 8), f(1, 2, 8), f(1, 2, 8), f(5, 3, 8), f(5, 3, 8)],
    { segments: [{ start: 0, length: 1, past: 0 }] },
    "attention: a past key must be [5, 2, 8], got [5, 3, 8]",
  ],
  [
    "attention",
    [f(1, 2, 8), f(1, 2, 8), f(1, 2, 8), f(5, 2, 8), f(4, 2, 8)],
    { segments: [{ start: 0, length: 1, past: 0 }] },
    "attention: a past value must be [5, 2, 8], got [4, 2, 8]",
  ],
  [
    "attentionWeights",
    [f(1, 2, 8), f(1, 2, 8), f(5, 2)],
    {},
    "attentionWeights: the past key must have 3 axes [P, H, D], got [5, 2]",
  ],
  // rearranging
  ["concat", [], { axis: 0 }, "concat: needs at least one tensor"],
  ["concat", [f(2, 3), f(2, 4)], { axis: 0 }, "concat: shapes [2, 3] and [2, 4] must be equal but for axis 0"],
  ["concat", [f(2, 3), f(2)], { axis: 0 }, "concat: shapes [2, 3] and [2] must be equal but for axis 0"],
  ["tril", [f(3)], {}, "tril: needs at least 2 axes, got [3]"],
  ["triu", [f(2, 2)], { diagonal: 0.5 }, "triu: diagonal must be a whole number, got 0.5"],
  ["reshape", [f(2, 3)], { shape: [4] }, "reshape: [2, 3] has 6 elements, which do not fill [4]"],
  ["reshape", [f(2, 3)], { shape: [4, -1] }, "reshape: [2, 3] has 6 elements, which do not fill [4, -1]"],
  ["reshape", [f(2, 3)], { shape: [-1, -1] }, "reshape: [2, 3] has 6 elements, which do not fill [-1, -1]"],
  ["reshape", [f(0, 3)], { shape: [0, -1] }, "reshape: [0, 3] has 0 elements, which do not fill [0, -1]"],
  ["transpose", [f(2, 3)], { a: 0, b: 2 }, "transpose: axis 2 is outside a tensor of 2 dimensions"],
  ["permute", [f(2, 3)], { axes: [0, 0] }, "permute: axes [0, 0] do not name each axis of [2, 3] once"],
  ["permute", [f(2, 3)], { axes: [0] }, "permute: axes [0] do not name each axis of [2, 3] once"],
  ["slice", [f(2, 3)], { axis: 0, step: 0 }, "slice: step must be a positive integer, got 0"],
  ["slice", [f(2, 3)], { axis: 0, start: 0.5 }, "slice: start and end must be integers, got 0.5"],
  ["select", [f(2, 3)], { axis: 1, index: 3 }, "select: index 3 is outside axis 1 of [2, 3]"],
  ["select", [f(2, 3)], { axis: 1, index: -4 }, "select: index -4 is outside axis 1 of [2, 3]"],
  ["squeeze", [f(2, 3)], { axis: 0 }, "squeeze: axis 0 of [2, 3] has size 2, not 1"],
  ["unsqueeze", [f(2)], { axis: 2 }, "unsqueeze: axis 2 is outside a tensor of 2 dimensions"],
  ["expand", [f(2, 3)], { shape: [2, 4] }, "expand: [2, 3] does not broadcast to [2, 4]"],
  ["expand", [f(2, 3)], { shape: [3] }, "expand: [2, 3] does not broadcast to [3]"],
  ["split", [f(5)], { sizes: [2, 2], axis: 0 }, "split: sizes [2, 2] do not add up to 5, axis 0 of [5]"],
  ["split", [f(5)], { sizes: [6, -1], axis: 0 }, "split: sizes [6, -1] do not add up to 5, axis 0 of [5]"],
];

const dtypeRefusals: readonly Refusal[] = [
  ["mul", [b(2), b(2)], {}, "mul: needs float32 or int32, got bool [2] and bool [2]; cast one of them"],
  ["truncDiv", [f(2), i(2)], {}, "truncDiv: divides integers, got float32 [2] and int32 [2]; div divides float32"],
  ["maskedFill", [f(2), f(2)], { value: 0 }, "maskedFill: mask must be bool, got float32 [2]"],
  ["logicalAnd", [f(2), f(2)], {}, "logicalAnd: a must be bool, got float32 [2]"],
  ["logicalOr", [b(2), f(2)], {}, "logicalOr: b must be bool, got float32 [2]"],
  ["logicalNot", [i(2)], {}, "logicalNot: x must be bool, got int32 [2]"],
  ["isNaN", [i(2)], {}, "isNaN: x must be float32, got int32 [2]"],
  ["exp", [i(2)], {}, "exp: x must be float32, got int32 [2]"],
  ["neg", [b(2)], {}, "neg: x must be float32 or int32, got bool [2]"],
  ["where", [f(2), f(2), f(2)], {}, "where: condition must be bool, got float32 [2]"],
  ["max", [b(2)], {}, "max: x must be float32 or int32, got bool [2]"],
  ["mean", [i(2)], {}, "mean: x must be float32, got int32 [2]"],
  ["any", [f(2)], {}, "any: x must be bool, got float32 [2]"],
  ["logSoftmax", [i(2)], { axis: 0 }, "logSoftmax: x must be float32, got int32 [2]"],
  ["sort", [b(2)], { axis: 0 }, "sort: x must be float32 or int32, got bool [2]"],
  ["gather", [f(2, 3), f(2, 1)], { axis: 1 }, "gather: indices must be int32, got float32 [2, 1]"],
  [
    "scatter",
    [f(4), i(2), i(2)],
    { axis: 0 },
    "scatter: operands must have one element type, got float32 [4] and int32 [2]; cast one of them",
  ],
  ["scatterAdd", [b(4), i(2), b(2)], { axis: 0 }, "scatterAdd: x must be float32 or int32, got bool [4]"],
  ["matmul", [f(2, 2), i(2, 2)], {}, "matmul: b must be float32, got int32 [2, 2]"],
  ["linear", [i(2, 4), f(4, 5)], {}, "linear: x must be float32, got int32 [2, 4]"],
  ["targetLogProbs", [f(5, 2), f(2, 3), f(5)], {}, "targetLogProbs: targets must be int32, got float32 [5]"],
  ["embedding", [f(5, 2), f(2)], {}, "embedding: ids must be int32, got float32 [2]"],
  [
    "concat",
    [f(2), i(2)],
    { axis: 0 },
    "concat: operands must have one element type, got float32 [2] and int32 [2]; cast one of them",
  ],
];

function refusal(run: () => View | readonly View[]): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

for (const [title, all, expected] of [
  ["shapes that do not fit are refused by a ShapeMismatchError", refusals, ShapeMismatchError],
  ["element types that do not fit are refused by a DTypeError", dtypeRefusals, DTypeError],
] as const) {
  describe(`${title} that names what does not`, () => {
    for (const [op, inputs, args, message] of all) {
      it(message, () => {
        const error = refusal(() =>
          calls[op]!(
            inputs.map((operand) => place(referenceBackend, operand)),
            args,
          ),
        );
        expect(error).toBeInstanceOf(expected);
        expect(error).toMatchObject({ message, op: message.slice(0, message.indexOf(":")) });
      });
    }
  });
}

describeOnEveryBackend("an index that is out of range is refused", (backend) => {
  const outside: readonly Refusal[] = [
    ["embedding", [f(3, 2), ids(0, 3)], {}, "embedding: id 3 is outside a table of 3 rows (0 to 2)"],
    ["targetLogProbs", [f(2, 3), f(3, 4), ids(0, 4)], {}, "targetLogProbs: index 4 is outside an axis of size 4"],
    ["targetLogProbs", [f(1, 3), f(3, 4), ids(-1)], {}, "targetLogProbs: index -1 is outside an axis of size 4"],
    ["embedding", [f(3, 2), ids(-1)], {}, "embedding: id -1 is outside a table of 3 rows (0 to 2)"],
    ["gather", [f(3), ids(0, 3)], { axis: 0 }, "gather: index 3 is outside an axis of size 3"],
    ["gather", [f(3), ids(-1)], { axis: 0 }, "gather: index -1 is outside an axis of size 3"],
    ["gather", [f(0), ids(0)], { axis: 0 }, "gather: index 0 is outside an axis of size 0"],
    ["scatter", [f(3), ids(3), f(1)], { axis: 0 }, "scatter: index 3 is outside an axis of size 3"],
    ["scatterAdd", [f(3), ids(-1), f(1)], { axis: 0 }, "scatterAdd: index -1 is outside an axis of size 3"],
  ];
  for (const [op, inputs, args, message] of outside) {
    it(message, () => {
      const error = refusal(() =>
        calls[op]!(
          inputs.map((operand) => place(backend, operand)),
          args,
        ),
      );
      expect(error).toBeInstanceOf(ShapeMismatchError);
      expect(error).toMatchObject({ message });
    });
  }
});
