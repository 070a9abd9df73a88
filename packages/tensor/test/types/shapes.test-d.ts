import {
  arange,
  attention,
  dim,
  embedding,
  layerNorm,
  linear,
  type Named,
  type Shape,
  type Tensor,
  targetLogProbs,
  tensor,
  topK,
  zeros,
} from "@gpt2-ts/tensor";
import { describe, expectTypeOf, test } from "vitest";

// Checked by the compiler alone: nothing here runs.
const T = dim("T", Number("7"));
const U = dim("U", Number("7"));
const x = zeros([T, 768]);
const w = zeros([768, 2304]);
const loose: Tensor = tensor([[1, 2]]);

describe("products", () => {
  test("inner sizes vanish and outer sizes stay", () => {
    expectTypeOf(zeros([2, 3]).matmul(zeros([3, 4]))).toEqualTypeOf<Tensor<[2, 4]>>();
    expectTypeOf(x.matmul(w)).toEqualTypeOf<Tensor<[Named<"T">, 2304]>>();
    expectTypeOf(zeros([12, T, 64]).matmul(zeros([64, 5]))).toEqualTypeOf<Tensor<[12, Named<"T">, 5]>>();
    expectTypeOf(zeros([3]).matmul(zeros([3]))).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(zeros([2, 3]).matmul(zeros([3]))).toEqualTypeOf<Tensor<[2]>>();
    expectTypeOf(zeros([3]).matmul(zeros([3, 5]))).toEqualTypeOf<Tensor<[5]>>();
  });
  test("different inner sizes do not compile", () => {
    // @ts-expect-error "matmul: inner sizes 768 and 767 differ"
    x.matmul(zeros([767, 10]));
    // @ts-expect-error T and U are different sizes at run time
    zeros([3, T]).matmul(zeros([U, 4]));
    // @ts-expect-error batch sizes 2 and 3 do not broadcast
    zeros([2, 4, 5]).matmul(zeros([3, 5, 6]));
    // @ts-expect-error the second of two transposes is missing
    x.matmul(zeros([10, 768]));
  });
  test("a tensor of unknown shape fits anything", () => {
    expectTypeOf(loose.matmul(w)).toEqualTypeOf<Tensor>();
    expectTypeOf(x.matmul(loose)).toEqualTypeOf<Tensor>();
  });
  test("linear checks weight and bias", () => {
    expectTypeOf(linear(x, w, zeros([2304]))).toEqualTypeOf<Tensor<[Named<"T">, 2304]>>();
    // @ts-expect-error the bias has the input's size
    linear(x, w, zeros([768]));
    // @ts-expect-error the weight lies [out, in]
    linear(x, w.transpose(), zeros([768]));
  });
});

describe("broadcasting", () => {
  test("sizes of one stretch, missing axes are added in front", () => {
    expectTypeOf(x.add(zeros([768]))).toEqualTypeOf<Tensor<[Named<"T">, 768]>>();
    expectTypeOf(zeros([5, 1]).mul(zeros([1, 6]))).toEqualTypeOf<Tensor<[5, 6]>>();
    expectTypeOf(zeros([5, 1]).lt(zeros([6]))).toEqualTypeOf<Tensor<[5, 6], "bool">>();
    expectTypeOf(x.mul(2)).toEqualTypeOf<Tensor<[Named<"T">, 768]>>();
  });
  test("sizes that differ do not compile", () => {
    // @ts-expect-error 768 and 767
    x.add(zeros([767]));
    // @ts-expect-error T and U
    zeros([T, 8]).add(zeros([U, 8]));
  });
});

describe("shapes", () => {
  test("reshape multiplies literals", () => {
    expectTypeOf(zeros([2, 768]).reshape([2, 12, 64])).toEqualTypeOf<Tensor<[2, 12, 64]>>();
    expectTypeOf(x.reshape([T, 12, 64])).toEqualTypeOf<Tensor<[Named<"T">, 12, 64]>>();
    expectTypeOf(zeros([50257, 768]).reshape([38597376])).toEqualTypeOf<Tensor<[38597376]>>();
    expectTypeOf(zeros([6]).reshape([2, -1])).toEqualTypeOf<Tensor<[2, number]>>();
    // @ts-expect-error "768 elements do not fill 756"
    x.reshape([T, 12, 63]);
    // @ts-expect-error 1536 elements do not fill 1535
    zeros([2, 768]).reshape([1535]);
  });
  test("transpose, permute, select, split and unsqueeze move sizes about", () => {
    expectTypeOf(x.transpose()).toEqualTypeOf<Tensor<[768, Named<"T">]>>();
    expectTypeOf(zeros([2, 3, 4]).transpose(0, -1)).toEqualTypeOf<Tensor<[4, 3, 2]>>();
    expectTypeOf(zeros([2, 3, 4]).permute([2, 0, 1])).toEqualTypeOf<Tensor<[4, 2, 3]>>();
    expectTypeOf(zeros([2, 3, 4]).select(-2, 1)).toEqualTypeOf<Tensor<[2, 4]>>();
    expectTypeOf(zeros([T, 9]).split([3, 4, 2], -1)).toEqualTypeOf<
      [Tensor<[Named<"T">, 3]>, Tensor<[Named<"T">, 4]>, Tensor<[Named<"T">, 2]>]
    >();
    expectTypeOf(zeros([2, 3]).unsqueeze(-1)).toEqualTypeOf<Tensor<[2, 3, 1]>>();
    expectTypeOf(zeros([2, 3]).unsqueeze(0)).toEqualTypeOf<Tensor<[1, 2, 3]>>();
    // @ts-expect-error there is no axis 3
    zeros([2, 3, 4]).transpose(0, 3);
    // @ts-expect-error two axes for a tensor of three
    zeros([2, 3, 4]).permute([1, 0]);
  });
  test("reductions drop or keep their axis", () => {
    expectTypeOf(x.sum()).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(x.sum(-1)).toEqualTypeOf<Tensor<[Named<"T">]>>();
    expectTypeOf(x.mean(0, true)).toEqualTypeOf<Tensor<[1, 768]>>();
    expectTypeOf(x.argMax(-1)).toEqualTypeOf<Tensor<[Named<"T">], "int32">>();
    expectTypeOf(topK(x, 40).values).toEqualTypeOf<Tensor<[Named<"T">, 40]>>();
    // @ts-expect-error there is no axis 2
    x.sum(2);
    // @ts-expect-error there is no axis -3
    x.softmax(-3);
  });
});

describe("layers", () => {
  test("embedding, layerNorm and attention follow names", () => {
    const ids = arange(0, 5, 1, { dtype: "int32" });
    expectTypeOf(embedding(zeros([50257, 768]), ids)).toEqualTypeOf<Tensor<[number, 768]>>();
    expectTypeOf(layerNorm(x, zeros([768]), zeros([768]))).toEqualTypeOf<Tensor<[Named<"T">, 768]>>();
    const q = zeros([T, 12, 64]);
    expectTypeOf(attention(q, q, q)).toEqualTypeOf<Tensor<[Named<"T">, 12, 64]>>();
    // @ts-expect-error float ids
    embedding(zeros([50257, 768]), arange(5));
    // @ts-expect-error gain of another size
    layerNorm(x, zeros([767]), zeros([768]));
    const { logProbs } = targetLogProbs(x, zeros([768, 50257]), zeros([T], { dtype: "int32" }));
    expectTypeOf(logProbs).toEqualTypeOf<Tensor<[Named<"T">]>>();
    // @ts-expect-error a weight for rows of another size
    targetLogProbs(x, zeros([767, 50257]), zeros([T], { dtype: "int32" }));
    // @ts-expect-error targets for another number of rows
    targetLogProbs(x, zeros([768, 50257]), zeros([5], { dtype: "int32" }));
    // @ts-expect-error heads of another size
    attention(q, zeros([T, 12, 32]), q);
  });
  test("a tensor of known shape is a tensor, and not the other way round", () => {
    expectTypeOf(x).toExtend<Tensor>();
    expectTypeOf<Tensor>().not.toExtend<Tensor<[2, 3]>>();
    expectTypeOf<Tensor<[2, 3]>>().not.toExtend<Tensor<[3, 2]>>();
    expectTypeOf<Tensor["shape"]>().toEqualTypeOf<Shape>();
  });
  test("data has the element type's array", () => {
    expectTypeOf(x.dataSync()).toEqualTypeOf<Float32Array>();
    expectTypeOf(x.argMax().dataSync()).toEqualTypeOf<Int32Array>();
  });
});
