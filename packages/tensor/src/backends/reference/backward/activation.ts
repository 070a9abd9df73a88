import type { Kernel } from "../../backend.ts";
import { forEachRow } from "../iterate.ts";
import { erfc, exp, sigmoid, tanh } from "../math.ts";

/** The functions that a linear layer can end in, by the derivatives f′(x). */
export type ActivationName = "gelu" | "geluExact" | "quickGelu" | "relu" | "sigmoid" | "silu" | "tanh";

export interface ActivationBackwardParams {
  readonly activation: ActivationName;
}

const SQRT_2_OVER_PI = 0.7978845608028654;
const SQRT_2_PI = 2.5066282746310002;
/** From here on, on either side, the derivatives of the functions that end like ReLU are 1 and 0 in float64. */
const FAR = 1024;

/** (x·σ(s))′ = σ(s) + x·σ(s)·σ(−s)·s′ */
function gated(x: number, s: number, slope: number): number {
  return sigmoid(s) + x * sigmoid(s) * sigmoid(-s) * slope;
}

/** f(x) for x cut to where the derivative still changes, so that ±∞ do not make NaN of 0·∞. */
function within(f: (x: number) => number): (x: number) => number {
  return (x) => f(Math.max(-FAR, Math.min(FAR, x)));
}

const derivatives: Readonly<Record<ActivationName, (x: number) => number>> = {
  // x·σ(s), s = 2√(2/π)(x + 0.044715x³)
  gelu: within((x) => {
    const s = 2 * SQRT_2_OVER_PI * (x + 0.044715 * x * x * x);
    return gated(x, s, 2 * SQRT_2_OVER_PI * (1 + 3 * 0.044715 * x * x));
  }),
  // x·Φ(x): Φ(x) + x·φ(x)
  geluExact: within((x) => 0.5 * erfc(-x * Math.SQRT1_2) + (x * exp(-0.5 * x * x)) / SQRT_2_PI),
  quickGelu: within((x) => gated(x, 1.702 * x, 1.702)),
  relu: (x) => (x > 0 ? 1 : x <= 0 ? 0 : x),
  sigmoid: (x) => sigmoid(x) * sigmoid(-x),
  silu: within((x) => gated(x, x, 1)),
  tanh: (x) => (1 - tanh(x)) * (1 + tanh(x)),
};

/** dx = dy·f′(x), element by element: x, dy and dx [...]. ReLU's derivative at 0 is 0, as PyTorch has it. */
export const activationBackwardKernel: Kernel<ActivationBackwardParams> = ([x, dy], { activation }, [dx]) => {
  const derivative = derivatives[activation];
  forEachRow(x!.shape, [x!, dy!, dx!], ([atX, atDy, atDx], length, [stepX, stepDy, stepDx]) => {
    for (let i = 0; i < length; i++) {
      dx!.data[atDx! + i * stepDx!] = dy!.data[atDy! + i * stepDy!]! * derivative(x!.data[atX! + i * stepX!]!);
    }
  });
};
