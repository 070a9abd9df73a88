import type { DType } from "../dtype.ts";
import { DisposedError, GradientError } from "../errors.ts";
import { ones } from "../functional/creation.ts";
import { isPromise, tidy } from "../memory.ts";
import { isRecording, recording } from "../observe.ts";
import { checkOptionNames, showValue } from "../options.ts";
import { showShape } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import type { Shape } from "../types/shape-types.ts";
import { GradientBuffers } from "./gradient-buffers.ts";
import { Tape } from "./tape.ts";
import { GradientTargets } from "./targets.ts";
import { type GradientsOf, leavesOf, withLeaves } from "./weights.ts";

/** What {@link valueAndGrad} may be told. */
export interface GradOptions<W> {
  /** Gradients from an earlier call, to which these are added, so that those of several batches sum up. They are written to. */
  readonly into?: GradientsOf<W> | undefined;
}

/** A loss and its gradients. */
export interface ValueAndGrad<W> {
  /** What the function returned. */
  readonly value: Tensor<[]>;
  /** Of the very structure and shapes of the weights: ∂value/∂weight for each. */
  readonly gradients: GradientsOf<W>;
}

/**
 * The value of `loss()`, and its gradients by `weights`: tensors of float32 in any nest of arrays and plain objects.
 *
 *     const { value, gradients } = valueAndGrad({ w, b }, () => crossEntropy(linear(x, w, b), targets));
 *
 * The function computes as ever: nothing about tensors tells that they are watched. What does not depend on the weights is not recorded
 * and costs nothing, so that weights that are left out are frozen. A tensor that occurs twice among the weights (tied embeddings) has
 * one gradient, which then stands there twice; a weight that the loss does not use has a gradient of zeros.
 *
 * Tensors that `loss` makes are freed when it returns, but for the loss itself, as in {@link tidy}; what the gradients need is held
 * until they are there. Calls do not nest: there are no second derivatives.
 *
 * @throws GradientError if the loss is no scalar, depends on none of the weights, or does so through an operation without a gradient;
 *   if a weight is not float32, packed, or repeats elements; and, by the operation that does it, if something is written in place that
 *   the gradients need
 * @throws TypeError if `loss` returns a promise, or `weights` holds something other than tensors
 */
export function valueAndGrad<W>(weights: W, loss: () => Tensor<[]>, options: GradOptions<W> = {}): ValueAndGrad<W> {
  checkOptionNames(options, ["into"], "valueAndGrad");
  if (typeof loss !== "function") throw new TypeError(`valueAndGrad: expected a function, got ${showValue(loss)}`);
  if (isRecording())
    throw new GradientError("valueAndGrad", "runs inside another one; there are no second derivatives");
  const parameters = leavesOf(weights);
  const tape = new Tape(parameters);
  const gradients = new GradientBuffers();
  try {
    const targets = new GradientTargets(parameters, options.into, gradients);
    const value = tidy(() => {
      const computed = tidy(() => checkLoss(recording(tape, loss)));
      tape.check(computed);
      gradients.add(computed, ones([], { device: computed.device }), true);
      tape.goBack(gradients);
      return computed;
    });
    return { value, gradients: withLeaves(weights, targets.finish()) as GradientsOf<W> };
  } finally {
    tape.dispose();
    gradients.releaseAll();
  }
}

/**
 * The function that computes the gradient of `f` by its first argument, which may be one tensor, or a nest of them as
 * {@link valueAndGrad} takes it; the other arguments are constants.
 *
 *     const slope = grad((x: Tensor<[3]>) => x.square().sum());
 *     slope(tensor([1, 2, 3])); // [2, 4, 6]
 */
export function grad<W, Rest extends readonly unknown[]>(
  f: (weights: W, ...rest: Rest) => Tensor<[]>,
): (weights: W, ...rest: Rest) => GradientsOf<W> {
  if (typeof f !== "function") throw new TypeError(`grad: expected a function, got ${showValue(f)}`);
  return (weights, ...rest) => {
    let gradients: GradientsOf<W> | undefined;
    tidy(() => {
      gradients = valueAndGrad(weights, () => f(weights, ...rest)).gradients;
      return leavesOf(gradients).map(({ view }) => view); // which the value is not among
    });
    return gradients!;
  };
}

/**
 * Runs `body` without recording: what it computes is a constant to a {@link valueAndGrad} around it. (`torch.no_grad`; a tensor that
 * `body` returns and did not compute, or a view of one, is what it was.)
 *
 * @throws TypeError if `body` returns a promise
 */
export function noGrad<Result>(body: () => Result): Result {
  const result = recording(undefined, body);
  if (isPromise(result)) throw new TypeError("noGrad: the function must be synchronous, it returned a promise");
  return result;
}

function checkLoss(loss: Tensor<Shape, DType>): Tensor<[]> {
  if (isPromise(loss)) throw new TypeError("valueAndGrad: the function must be synchronous, it returned a promise");
  if (!(loss instanceof Tensor)) throw new TypeError(`valueAndGrad: expected a tensor as loss, got ${showValue(loss)}`);
  if (loss.disposed) throw new DisposedError();
  if (loss.dtype !== "float32" || loss.rank !== 0) {
    const got = `${loss.dtype} ${showShape(loss.shape)}`;
    throw new GradientError("valueAndGrad", `the loss must be a float32 scalar, got ${got}; sum() or mean() make one`);
  }
  return loss as unknown as Tensor<[]>;
}
