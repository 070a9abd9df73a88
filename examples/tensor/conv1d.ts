import { conv1d, type Tensor, tensor } from "@gpt2-ts/tensor";

/** Where a signal rises: its differences across two places. */
export function slopes(signal: Tensor<[number]>): Tensor<[number]> {
  const kernel = tensor([[[-0.5, 0, 0.5]]]);
  return conv1d(signal.unsqueeze(0), kernel, undefined, { padding: 1 }).at(0);
}
