import { clamp, type Tensor } from "@gpt2-ts/tensor";

/** Elements no further from 0 than 1. */
export function clipped<R extends number, C extends number>(x: Tensor<[R, C]>): Tensor<[R, C]> {
  return clamp(x, -1, 1);
}
