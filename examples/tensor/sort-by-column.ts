import { indexSelect, sort, type Tensor } from "@gpt2-ts/tensor";

/** The rows in the order of their second column. */
export function sortBySecondColumn(x: Tensor<[number, 3]>): Tensor<[number, 3]> {
  return indexSelect(x, 0, sort(x.select(1, 1)).indices);
}
