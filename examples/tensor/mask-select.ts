import { maskedSelect, type Tensor } from "@gpt2-ts/tensor";

/** The positive elements. How many there are is known when they are read: hence the promise. */
export function positives(x: Tensor<[number, number]>): Promise<Tensor<[number]>> {
  return maskedSelect(x, x.gt(0));
}
