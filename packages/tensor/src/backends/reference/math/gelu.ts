import { erfc } from "./erf.ts";
import { sigmoid } from "./tanh.ts";

const SQRT_2_OVER_PI = 0.7978845608028654;

/** ½x(1 + tanh u) = x/(1 + e⁻²ᵘ), u = √(2/π)(x + 0.044715x³): the second form keeps its digits where tanh u nears −1. */
export function geluTanh(x: number): number {
  if (x === -Infinity) return -0;
  return x * sigmoid(2 * SQRT_2_OVER_PI * (x + 0.044715 * x * x * x));
}

/** ½x(1 + erf(x/√2)) = ½x·erfc(−x/√2), accurate in the left tail too. */
export function geluErf(x: number): number {
  if (x === -Infinity) return -0;
  return 0.5 * x * erfc(-x * Math.SQRT1_2);
}

/** xσ(x) (Hendrycks and Gimpel, arXiv:1606.08415; "swish" of Ramachandran et al., arXiv:1710.05941). */
export function silu(x: number): number {
  return x === -Infinity ? -0 : x * sigmoid(x);
}

/** xσ(1.702x): the approximation of GELU by the logistic function (Hendrycks and Gimpel, section 2). */
export function quickGelu(x: number): number {
  return x === -Infinity ? -0 : x * sigmoid(1.702 * x);
}
