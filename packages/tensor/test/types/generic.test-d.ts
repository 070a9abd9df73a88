import {
  add,
  concat,
  conv1d,
  crossEntropy,
  diag,
  dim,
  div,
  einsum,
  exp,
  flip,
  lt,
  meshgrid,
  mod,
  type Named,
  nonzero,
  oneHot,
  outer,
  pad,
  reshape,
  type Shape,
  stack,
  std,
  sub,
  sum,
  type Tensor,
  tensor,
  tile,
  unfold,
  where,
  zeros,
} from "@gpt2-ts/tensor";
import "@gpt2-ts/tensor/methods";
import { describe, expectTypeOf, test } from "vitest";

// Checked by the compiler alone: nothing here runs.

describe("functions that are generic over sizes", () => {
  test("reduce, broadcast and keep the shape", () => {
    function unitRows<R extends number, C extends number>(x: Tensor<[R, C]>): Tensor<[R, C]> {
      return x.div(x.square().sum(1, true).sqrt());
    }
    function centred<R extends number, C extends number>(x: Tensor<[R, C]>): Tensor<[R, C]> {
      return x.sub(x.mean(0)).mul(2);
    }
    function gram<R extends number, C extends number>(x: Tensor<[R, C]>): Tensor<[R, R]> {
      return x.matmul(x.transpose());
    }
    function residual<S extends Shape>(x: Tensor<S>): Tensor<S> {
      return x.add(x.tanh().mul(0.5));
    }
    expectTypeOf(unitRows(zeros([2, 3]))).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(centred(zeros([2, 3]))).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(gram(zeros([2, 3]))).toEqualTypeOf<Tensor<[2, 2]>>();
    expectTypeOf(residual(zeros([2, 3]))).toEqualTypeOf<Tensor<[2, 3]>>();
    function wrong<R extends number, C extends number>(x: Tensor<[R, C]>) {
      // @ts-expect-error sizes C and R differ
      return x.add(x.sum(1));
    }
    void wrong;
  });
});

describe("nested arrays", () => {
  test("have a shape", () => {
    const rows: number[][] = [[1]];
    expectTypeOf(
      tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]),
    ).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(tensor(5)).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(tensor([true, false], { dtype: "bool" })).toEqualTypeOf<Tensor<[2], "bool">>();
    expectTypeOf(tensor(rows)).toEqualTypeOf<Tensor<[number, number]>>();
    expectTypeOf(tensor([rows[0]!, rows[0]!])).toEqualTypeOf<Tensor<[2, number]>>();
    expectTypeOf(tensor(new Float32Array(3))).toEqualTypeOf<Tensor<[number]>>();
    const row = tensor([[1, 2, 3]]);
    // @ts-expect-error inner sizes 3 and 2 differ
    row.matmul(tensor([[1], [2]]));
  });
});

describe("axes", () => {
  const x = zeros([2, 3, 4]);
  const T = dim("T", 5);
  test("of several reductions at once", () => {
    expectTypeOf(x.sum([0, 1])).toEqualTypeOf<Tensor<[4]>>();
    expectTypeOf(x.mean([0, -1], true)).toEqualTypeOf<Tensor<[1, 3, 1]>>();
    expectTypeOf(x.max([])).toEqualTypeOf<Tensor<[2, 3, 4]>>();
    expectTypeOf(x.sum([0] as number[])).toEqualTypeOf<Tensor>();
    expectTypeOf(zeros([T, 8], { dtype: "bool" }).sum(1)).toEqualTypeOf<Tensor<[Named<"T">], "int32">>();
    // @ts-expect-error there is no axis 3
    x.sum([0, 3]);
  });
  test("reversed, flattened, indexed, expanded", () => {
    expectTypeOf(x.T).toEqualTypeOf<Tensor<[4, 3, 2]>>();
    expectTypeOf(x.flatten()).toEqualTypeOf<Tensor<[24]>>();
    expectTypeOf(x.flatten(1)).toEqualTypeOf<Tensor<[2, 12]>>();
    expectTypeOf(zeros([T, 3, 4]).flatten(0, 1)).toEqualTypeOf<Tensor<[number, 4]>>();
    expectTypeOf(x.at(0)).toEqualTypeOf<Tensor<[3, 4]>>();
    expectTypeOf(x.at(0, -1, 2)).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(zeros([T, 1]).expand([-1, 7])).toEqualTypeOf<Tensor<[Named<"T">, 7]>>();
    for (const row of x) expectTypeOf(row).toEqualTypeOf<Tensor<[3, 4]>>();
    // @ts-expect-error more indices than axes
    x.at(0, 0, 0, 0);
    // @ts-expect-error axis 0 comes after axis ... there is no axis 5
    x.flatten(5);
    // @ts-expect-error sizes 3 and 5 differ
    x.expand([2, 5, 4]);
  });
  test("of unknown size stay unknown when they meet 1", () => {
    const n = zeros([Number("5"), 768]);
    expectTypeOf(n.add(zeros([1, 768]))).toEqualTypeOf<Tensor<[number, 768]>>();
    expectTypeOf(zeros([1, 768]).add(n)).toEqualTypeOf<Tensor<[number, 768]>>();
    expectTypeOf(n.add(zeros([5, 768]))).toEqualTypeOf<Tensor<[5, 768]>>();
  });
});

describe("functions", () => {
  const x = zeros([2, 3]);
  const ids = zeros([4], { dtype: "int32" });
  const mask = zeros([3], { dtype: "bool" });
  const bytes = zeros([3], { dtype: "uint8" });
  test("take a number on either side", () => {
    expectTypeOf(sub(1, x)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(sub(x, 1)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(add(x, zeros([3]))).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(sub(1, ids)).toEqualTypeOf<Tensor<[4], "int32">>();
    expectTypeOf(div(1, ids)).toEqualTypeOf<Tensor<[4]>>();
    expectTypeOf(mod(ids, 3)).toEqualTypeOf<Tensor<[4], "int32">>();
    expectTypeOf(lt(0.5, x)).toEqualTypeOf<Tensor<[2, 3], "bool">>();
    expectTypeOf(where(mask, 1, x)).toEqualTypeOf<Tensor<[2, 3]>>();
    // @ts-expect-error sizes 3 and 4 differ
    add(x, zeros([4]));
    // @ts-expect-error not for uint8 and uint8
    add(bytes, bytes);
  });
  test("are the methods' twins", () => {
    expectTypeOf(exp(x)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(sum(x, [0, 1], true)).toEqualTypeOf<Tensor<[1, 1]>>();
    expectTypeOf(reshape(x, [6])).toEqualTypeOf<Tensor<[6]>>();
    // @ts-expect-error 6 elements do not fill 5
    reshape(x, [5]);
  });
  test("join and repeat what has a shape", () => {
    expectTypeOf(concat([x, zeros([4, 3])])).toEqualTypeOf<Tensor<[6, 3]>>();
    expectTypeOf(concat([x, x, x], -1)).toEqualTypeOf<Tensor<[2, 9]>>();
    expectTypeOf(concat([x, zeros([dim("T", 3), 3])])).toEqualTypeOf<Tensor<[number, 3]>>();
    expectTypeOf(concat([ids, ids])).toEqualTypeOf<Tensor<[8], "int32">>();
    expectTypeOf(concat([x] as Tensor<[2, 3]>[], 1)).toEqualTypeOf<Tensor<[2, number]>>();
    expectTypeOf(stack([x, x])).toEqualTypeOf<Tensor<[2, 2, 3]>>();
    expectTypeOf(stack([x, x, x, x], -1)).toEqualTypeOf<Tensor<[2, 3, 4]>>();
    expectTypeOf(pad(x, [[1, 1], [0, 2]])).toEqualTypeOf<Tensor<[4, 5]>>(); // biome-ignore format: rows
    expectTypeOf(pad(x, 10)).toEqualTypeOf<Tensor<[22, 23]>>();
    expectTypeOf(tile(x, [2, 2])).toEqualTypeOf<Tensor<[4, 6]>>();
    expectTypeOf(flip(ids, 0)).toEqualTypeOf<Tensor<[4], "int32">>();
    expectTypeOf(meshgrid([ids, zeros([5])])).toEqualTypeOf<[Tensor<[4, 5], "int32">, Tensor<[4, 5]>]>();
    expectTypeOf(unfold(x, 1, 2)).toEqualTypeOf<Tensor<[2, number, 2]>>();
    // @ts-expect-error concat: sizes 3 and 5 differ
    concat([x, zeros([2, 5])]);
    // @ts-expect-error one element type
    concat([ids, zeros([4])]);
  });
  test("of the rest have shapes too", () => {
    expectTypeOf(oneHot(ids, 10)).toEqualTypeOf<Tensor<[4, 10]>>();
    expectTypeOf(outer(zeros([2]), zeros([3]))).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(diag(ids)).toEqualTypeOf<Tensor<[4, 4], "int32">>();
    expectTypeOf(std(x, 0, true)).toEqualTypeOf<Tensor<[1, 3]>>();
    expectTypeOf(einsum("bij,bjk->bki", zeros([5, 2, 3]), zeros([5, 3, 4]))).toEqualTypeOf<Tensor<[5, 4, 2]>>();
    expectTypeOf(crossEntropy(zeros([4, 10]), ids)).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(crossEntropy(zeros([4, 10]), ids, { reduction: "none" })).toEqualTypeOf<Tensor<[4]>>();
    expectTypeOf(conv1d(zeros([7, 2, 9]), zeros([5, 2, 3]))).toEqualTypeOf<Tensor<[7, 5, number]>>();
    expectTypeOf(nonzero(x)).resolves.toEqualTypeOf<Tensor<[number, 2], "int32">>();
    // @ts-expect-error einsum: j is 3 and 2
    einsum("ij,jk->ik", x, x);
    // @ts-expect-error einsum: no operand has the axis z
    einsum("ij,ij->iz", x, x);
  });
});

describe("methods of the import", () => {
  const x = zeros([2, 3]);
  test("are as generic as the functions", () => {
    expectTypeOf(x.std(-1, true)).toEqualTypeOf<Tensor<[2, 1]>>();
    expectTypeOf(x.var([0, 1])).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(x.relu().log2().isFinite().any(0)).toEqualTypeOf<Tensor<[3], "bool">>();
    expectTypeOf(x.pad([[0, 0], [1, 1]])).toEqualTypeOf<Tensor<[2, 5]>>(); // biome-ignore format: rows
    expectTypeOf(x.sort().indices).toEqualTypeOf<Tensor<[2, 3], "int32">>();
    // @ts-expect-error there is no axis 2
    x.std(2);
    // @ts-expect-error int32
    zeros([3], { dtype: "int32" }).std();
  });
});
