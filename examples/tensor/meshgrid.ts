import { linspace, meshgrid, type Tensor } from "@gpt2-ts/tensor";

/** The distance of each point of a grid from the middle. */
export function radii(count: number): Tensor<[number, number]> {
  const [y, x] = meshgrid([linspace(-1, 1, count), linspace(-1, 1, count)]);
  return x.square().add(y.square()).sqrt();
}
