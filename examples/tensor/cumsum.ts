import { cumsum, type Tensor } from "@gpt2-ts/tensor";

/** Running totals down the columns. */
export function runningTotals<R extends number, C extends number>(x: Tensor<[R, C]>): Tensor<[R, C]> {
  return cumsum(x, 0);
}
