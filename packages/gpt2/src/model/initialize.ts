import { type Backend, type DeviceChoice, full, Generator, randn, type Tensor, tidy, zeros } from "@gpt2-ts/tensor";
import type { GPT2Config } from "./config.ts";
import type { Model } from "./model.ts";
import { buildWeights, sizesOf, type Weight } from "./weights.ts";

/** GPT-2's `initializer_range`. */
const STANDARD_DEVIATION = 0.02;

/**
 * A model as training from scratch starts with it (Radford et al., 2019): matrices and embeddings are drawn from N(0, 0.02²),
 * with the standard deviation divided by √(2·n_layer) where they write to the residual stream; gains are 1, the rest 0.
 *
 * @param options.seed 0..2^53-1: the same seed gives the same model everywhere
 * @param options.device the default device if left out
 */
export function initialModel(
  config: GPT2Config,
  options: { readonly seed: number; readonly device?: DeviceChoice | Backend | undefined },
): Model {
  const { device } = options;
  const seed = new Generator(options.seed);
  const normal = (shape: readonly number[], deviation: number): Tensor =>
    tidy(() => randn(shape, { seed, device }).mul(deviation));
  const tensorOf = ({ shape, initial }: Weight): Tensor => {
    switch (initial) {
      case "normal":
        return normal(shape, STANDARD_DEVIATION);
      case "residual":
        return normal(shape, STANDARD_DEVIATION / Math.sqrt(2 * config.nLayer));
      case "ones":
        return full(shape, 1, { device });
      case "zeros":
        return zeros(shape, { device });
    }
  };
  return { config, sizes: sizesOf(config), weights: buildWeights(config, tensorOf), cacheDtype: "f32" };
}
