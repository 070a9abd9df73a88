import { zerosLike } from "../functional/creation.ts";
import { keep, tidy } from "../memory.ts";
import { checkOptionNames } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import { checkNumber, isAtLeastZero } from "./checks.ts";
import { type Parameter, parametersOf, withGradients } from "./parameters.ts";

/** Names and defaults are PyTorch's. */
export interface SGDOptions {
  /** Default: 1e-3. */
  readonly learningRate?: number | undefined;
  /** What is left of a step's direction in the next one. Default: 0. */
  readonly momentum?: number | undefined;
}

/**
 * Gradient descent, with momentum if wanted, as `torch.optim.SGD` computes it: the velocity becomes momentum · velocity + gradient, and
 * the weight loses learningRate · velocity. {@link SGD.step} writes to the weights where they are.
 */
export class SGD {
  readonly #parameters: readonly (Parameter & { readonly velocity: Tensor | undefined })[];
  readonly #learningRate: number;
  readonly #momentum: number;

  /**
   * @param weights float32 tensors, not packed
   * @throws OptionError; TypeError for weights that cannot be trained
   */
  constructor(weights: object, options: SGDOptions = {}) {
    checkOptionNames(options, ["learningRate", "momentum"], "SGD");
    const { learningRate = 1e-3, momentum = 0 } = options;
    checkNumber("learningRate", learningRate, "a number from 0", isAtLeastZero);
    checkNumber("momentum", momentum, "a number from 0", isAtLeastZero);
    this.#learningRate = learningRate;
    this.#momentum = momentum;
    this.#parameters = parametersOf("SGD", weights).map((parameter) => ({
      ...parameter,
      velocity: momentum === 0 ? undefined : keep(zerosLike(parameter.tensor)),
    }));
  }

  /**
   * Changes the weights, in place.
   *
   * @param gradients in the structure of the weights, as `valueAndGrad` returns them
   */
  step(gradients: object, options: { readonly learningRate?: number | undefined } = {}): void {
    checkOptionNames(options, ["learningRate"], "SGD.step");
    const { learningRate = this.#learningRate } = options;
    checkNumber("learningRate", learningRate, "a number from 0", isAtLeastZero);
    for (const [{ tensor, velocity }, gradient] of withGradients("SGD", this.#parameters, gradients)) {
      tidy(() => {
        velocity?.copy_(velocity.mul(this.#momentum).add(gradient));
        tensor.copy_(tensor.sub((velocity ?? gradient).mul(learningRate)));
      });
    }
  }

  /** The velocities, by name: `PATH.velocity`; none without momentum. These are the tensors themselves, as in `AdamW.state`. */
  state(): Map<string, Tensor> {
    return new Map(
      this.#parameters.flatMap(({ path, velocity }) => (velocity ? [[`${path}.velocity`, velocity]] : [])),
    );
  }

  /** Frees what {@link SGD.state} returns. */
  dispose(): void {
    for (const tensor of this.state().values()) tensor.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
