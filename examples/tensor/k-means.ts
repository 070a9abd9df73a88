import { oneHot, type Tensor } from "@gpt2-ts/tensor";

/** One step of Lloyd's algorithm: centers move to the mean of the points that are nearest to them. */
export function kMeansStep(points: Tensor<[number, 2]>, centers: Tensor<[3, 2]>): Tensor<[3, 2]> {
  const labels = points.unsqueeze(1).sub(centers).square().sum(-1).argMin(1);
  const members = oneHot(labels, 3);
  return members.T.matmul(points).div(members.sum(0).unsqueeze(1));
}
