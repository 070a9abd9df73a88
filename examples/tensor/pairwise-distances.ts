import { norm, type Tensor } from "@gpt2-ts/tensor";

/** How far each row of `a` is from each row of `b`. */
export function pairwiseDistances(a: Tensor<[number, 3]>, b: Tensor<[number, 3]>): Tensor<[number, number]> {
  return norm(a.unsqueeze(1).sub(b), -1);
}
