import { tidy } from "../memory.ts";
import { squaredNorm } from "../ops/backward/norm.ts";
import { type Tensor, wrap } from "../tensor.ts";
import { checkNumber, isPositive } from "./checks.ts";
import { parametersOf } from "./parameters.ts";

/** Keeps the quotient finite where the norm is 0; PyTorch's. */
const EPSILON = 1e-6;

/** The Euclidean norm of all gradients together, as if they were one vector. */
export async function gradientNorm(gradients: object): Promise<number> {
  let sum = 0;
  for (const { tensor } of parametersOf("gradientNorm", gradients)) {
    using squares: Tensor<[]> = wrap(squaredNorm(tensor));
    sum += await squares.item();
  }
  return Math.sqrt(sum);
}

/** What gradients of this norm are multiplied by, so that it is at most `maxNorm`: 1 if it is already. */
export function clipScale(norm: number, maxNorm: number): number {
  checkNumber("maxNorm", maxNorm, "a number above 0", isPositive);
  return Math.min(1, maxNorm / (norm + EPSILON));
}

/**
 * Scales the gradients, in place, so that their norm (all of them together) is at most `maxNorm`, as
 * `torch.nn.utils.clip_grad_norm_` does.
 *
 * @returns the norm before. It is not finite if one of the gradients is not: then nothing was changed
 */
export async function clipGradNorm(gradients: object, maxNorm: number): Promise<number> {
  const norm = await gradientNorm(gradients);
  const scale = clipScale(norm, maxNorm);
  if (scale < 1 && Number.isFinite(norm)) {
    for (const { tensor } of parametersOf("clipGradNorm", gradients)) tidy(() => tensor.copy_(tensor.mul(scale)));
  }
  return norm;
}
