import { oneHot, type Tensor } from "@gpt2-ts/tensor";

/** Weights after a step of gradient descent on the cross-entropy of `softmax(x W)`. */
export function softmaxRegressionStep<N extends number>(
  x: Tensor<[N, 4]>,
  labels: Tensor<[N], "int32">,
  weights: Tensor<[4, 3]>,
): Tensor<[4, 3]> {
  const errors = x.matmul(weights).softmax(-1).sub(oneHot(labels, 3));
  return weights.sub(x.T.matmul(errors).mul(0.5 / x.shape[0]));
}
