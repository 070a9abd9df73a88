import { zerosLike } from "../functional/creation.ts";
import { keep } from "../memory.ts";
import { adamWStep } from "../ops/backward/adamw.ts";
import { checkOptionNames, OptionError, showValue } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import { checkNumber, isAtLeastZero, isPositive, isShareBelowOne } from "./checks.ts";
import { type Parameter, parametersOf, withGradients } from "./parameters.ts";

/** Names and defaults are PyTorch's. */
export interface AdamWOptions {
  /** Default: 1e-3. */
  readonly learningRate?: number | undefined;
  /** Of the running means of gradients and of their squares. Default: [0.9, 0.999]. */
  readonly betas?: readonly [number, number] | undefined;
  /** Default: 1e-8. */
  readonly epsilon?: number | undefined;
  /** How much of a weight each step takes away, as a multiple of the learning rate. Default: 0.01. */
  readonly weightDecay?: number | undefined;
  /** Which weights decay. Default: those of two and more axes, matrices and tables, but no gains, shifts and biases. */
  readonly decays?: ((path: string, tensor: Tensor) => boolean) | undefined;
}

/** What is different from step to step. */
export interface AdamWStep {
  /** The number of this step, from 1: the running means begin at zero, and early steps make up for it. */
  readonly step: number;
  /** Default: that of the optimizer. */
  readonly learningRate?: number | undefined;
  /** What the gradients are multiplied by, as clipping asks for. Default: 1. */
  readonly gradientScale?: number | undefined;
}

/** The running means of a weight. */
interface Moments extends Parameter {
  readonly mean: Tensor;
  readonly square: Tensor;
  readonly weightDecay: number;
}

/**
 * Adam with decoupled weight decay (Loshchilov, Hutter, 2019, https://arxiv.org/abs/1711.05101), as `torch.optim.AdamW` computes it.
 *
 *     const optimizer = new AdamW(weights, { learningRate: 3e-4 });
 *     for (let step = 1; step <= 100; step++) {
 *       const { gradients } = valueAndGrad(weights, () => loss());
 *       optimizer.step(gradients, { step });
 *     }
 *
 * {@link AdamW.step} writes to the weights where they are, and keeps two numbers for each of them. Weights are the leaves of any nest of
 * arrays and plain objects; the same memory at two places is one weight.
 */
export class AdamW {
  readonly #moments: readonly Moments[];
  readonly #learningRate: number;
  readonly #betas: readonly [number, number];
  readonly #epsilon: number;

  /**
   * @param weights float32 tensors, not packed
   * @throws OptionError; TypeError for weights that cannot be trained
   */
  constructor(weights: object, options: AdamWOptions = {}) {
    checkOptionNames(options, ["learningRate", "betas", "epsilon", "weightDecay", "decays"], "AdamW");
    const { learningRate = 1e-3, betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0.01 } = options;
    const { decays = (_path: string, { rank }: Tensor) => rank >= 2 } = options;
    checkNumber("learningRate", learningRate, "a number from 0", isAtLeastZero);
    if (!Array.isArray(betas) || betas.length !== 2) {
      throw new OptionError("betas", `expected two numbers, got ${showValue(betas)}`);
    }
    for (const beta of betas) checkNumber("betas", beta, "numbers from 0 to below 1", isShareBelowOne);
    checkNumber("epsilon", epsilon, "a number above 0", isPositive);
    checkNumber("weightDecay", weightDecay, "a number from 0", isAtLeastZero);
    this.#learningRate = learningRate;
    this.#betas = betas;
    this.#epsilon = epsilon;
    this.#moments = parametersOf("AdamW", weights).map(({ path, tensor }) => ({
      path,
      tensor,
      mean: keep(zerosLike(tensor)),
      square: keep(zerosLike(tensor)),
      weightDecay: decays(path, tensor) ? weightDecay : 0,
    }));
  }

  /**
   * Changes the weights, in place.
   *
   * @param gradients in the structure of the weights, as `valueAndGrad` returns them
   */
  step(gradients: object, options: AdamWStep): void {
    checkOptionNames(options, ["step", "learningRate", "gradientScale"], "AdamW.step");
    const { step, learningRate = this.#learningRate, gradientScale = 1 } = options;
    checkNumber("step", step, "the number of the step, from 1", (value) => Number.isSafeInteger(value) && value >= 1);
    checkNumber("learningRate", learningRate, "a number from 0", isAtLeastZero);
    checkNumber("gradientScale", gradientScale, "a number", () => true);
    const [beta1, beta2] = this.#betas;
    for (const [{ tensor, mean, square, weightDecay }, gradient] of withGradients("AdamW", this.#moments, gradients)) {
      adamWStep(tensor, gradient, mean, square, {
        learningRate,
        beta1,
        beta2,
        epsilon: this.#epsilon,
        weightDecay,
        step,
        gradientScale,
      });
    }
  }

  /**
   * What it has to remember from step to step, by name: `PATH.m`, the running mean of a weight's gradient, and `PATH.v`, that of its
   * square. These are the tensors themselves: read them to save them, and restore them with `copy_`.
   */
  state(): Map<string, Tensor> {
    return new Map(
      this.#moments.flatMap(({ path, mean, square }) => [
        [`${path}.m`, mean],
        [`${path}.v`, square],
      ]),
    );
  }

  /** Frees what {@link AdamW.state} returns. */
  dispose(): void {
    for (const tensor of this.state().values()) tensor.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
