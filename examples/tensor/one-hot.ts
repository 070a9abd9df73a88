import { oneHot, type Tensor } from "@gpt2-ts/tensor";

/** A row for each label: 1 at the label, 0 elsewhere. */
export function oneHotRows<N extends number>(labels: Tensor<[N], "int32">): Tensor<[N, 4]> {
  return oneHot(labels, 4);
}
