import { histogram, type Tensor } from "@gpt2-ts/tensor";

/** How many elements lie in each of five bins between -2 and 2. */
export function countsByBin(x: Tensor<[number]>): Tensor<[5], "int32"> {
  return histogram(x, 5, { range: [-2, 2] }).counts;
}
