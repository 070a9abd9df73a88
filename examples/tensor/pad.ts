import { pad, type Tensor } from "@gpt2-ts/tensor";

/** A frame of ones around a picture, two rows of them below. */
export function framed(x: Tensor<[2, 3]>): Tensor<[5, 5]> {
  return pad(x, [[1, 2], [1, 1]], 1); // biome-ignore format: pairs
}
