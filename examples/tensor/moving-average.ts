import { type Tensor, unfold } from "@gpt2-ts/tensor";

/** The mean of each three neighbours. */
export function movingAverage(x: Tensor<[number]>): Tensor<[number]> {
  return unfold(x, 0, 3).mean(-1);
}
