import {
  crossEntropy,
  type GradientsOf,
  grad,
  linear,
  type Named,
  noGrad,
  ones,
  type Tensor,
  valueAndGrad,
  zeros,
} from "@gpt2-ts/tensor";
import { describe, expectTypeOf, test } from "vitest";

// Checked by the compiler alone: nothing here runs.
const x = zeros([5, 3]);
const targets = zeros([5], { dtype: "int32" });
const weights = { layers: [{ w: ones([3, 4]), b: ones([4]) }] as const, scale: undefined };

describe("gradients", () => {
  test("have the structure and the shapes of the weights", () => {
    const { value, gradients } = valueAndGrad(weights, () =>
      crossEntropy(linear(x, weights.layers[0].w, weights.layers[0].b), targets),
    );
    expectTypeOf(value).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(gradients.layers[0].w).toEqualTypeOf<Tensor<[3, 4]>>();
    expectTypeOf(gradients.layers[0].b).toEqualTypeOf<Tensor<[4]>>();
    expectTypeOf(gradients.scale).toEqualTypeOf<undefined>();
    expectTypeOf(gradients).toMatchTypeOf<typeof weights>();
  });

  test("keep named sizes, tuples, lists and single tensors", () => {
    type C = Named<"C">;
    expectTypeOf<GradientsOf<Tensor<[C, C]>>>().toEqualTypeOf<Tensor<[C, C]>>();
    expectTypeOf<GradientsOf<[Tensor<[1]>, Tensor<[2]>]>>().toEqualTypeOf<[Tensor<[1]>, Tensor<[2]>]>();
    expectTypeOf<GradientsOf<readonly Tensor<[2]>[]>>().toEqualTypeOf<readonly Tensor<[2]>[]>();
    expectTypeOf<GradientsOf<{ readonly bias?: Tensor<[2]> }>>().toEqualTypeOf<{ readonly bias?: Tensor<[2]> }>();
  });

  test("are of scalars", () => {
    // @ts-expect-error a loss of shape [5, 3]
    valueAndGrad(x, () => x.square());
    // @ts-expect-error a loss of integers
    valueAndGrad(x, () => x.argMax());
    // @ts-expect-error a promise
    valueAndGrad(x, async () => x.sum());
  });

  test("accumulate into gradients of the same weights only", () => {
    const { gradients } = valueAndGrad(x, () => x.sum());
    valueAndGrad(x, () => x.sum(), { into: gradients });
    // @ts-expect-error other shapes
    valueAndGrad(x, () => x.sum(), { into: zeros([5, 4]) });
  });

  test("of a function are by its first argument", () => {
    const slope = grad((p: { a: Tensor<[3]> }, of: Tensor<[3]>, times: number) => p.a.mul(of).sum().mul(times));
    expectTypeOf(slope).toEqualTypeOf<
      (weights: { a: Tensor<[3]> }, of: Tensor<[3]>, times: number) => { a: Tensor<[3]> }
    >();
    // @ts-expect-error the constants are part of it
    slope({ a: ones([3]) });
    expectTypeOf(noGrad(() => x)).toEqualTypeOf<typeof x>();
  });
});
