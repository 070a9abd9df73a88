import { norm, type Tensor } from "@gpt2-ts/tensor";

/** The cosine of the angle between each row of `a` and each row of `b`. */
export function cosineSimilarities<A extends number, B extends number, C extends number>(
  a: Tensor<[A, C]>,
  b: Tensor<[B, C]>,
): Tensor<[A, B]> {
  const unitA = a.div(norm(a, 1, true));
  const unitB = b.div(norm(b, 1, true));
  return unitA.matmul(unitB.T);
}
