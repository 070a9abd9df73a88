import { defineOp, type View } from "../../backends/backend.ts";
import { dispatchInto } from "../../backends/dispatch.ts";
import { adamWKernel } from "../../backends/reference/backward/adamw.ts";
import { adamW as wasm } from "../../backends/wasm/training/adamw.ts";
import { expectDType, expectShape } from "../checks.ts";

export interface AdamWStepOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Number of this step, from 1 on. */
  readonly step: number;
  /** What the gradient is multiplied by first. Default 1. */
  readonly gradientScale?: number | undefined;
}

export const adamWOp = /* @__PURE__ */ defineOp("adamW", adamWKernel, { wasm });
/**
 * One step of AdamW, in place and in one pass: of the weight, and of the running means m and v of its gradient and of that squared,
 * all float32 of one shape. As `torch.optim.AdamW` computes it. v must not be negative.
 */
export function adamWStep(weight: View, gradient: View, m: View, v: View, options: AdamWStepOptions): void {
  for (const [what, view] of [
    ["weight", weight],
    ["gradient", gradient],
    ["m", m],
    ["v", v],
  ] as const) {
    expectDType("adamW", what, view, "float32");
    expectShape("adamW", what, view, weight.shape);
  }
  const { learningRate, beta1, beta2, epsilon, weightDecay, step, gradientScale = 1 } = options;
  const params = {
    beta1,
    beta2,
    epsilon,
    gradientScale,
    keep: 1 - learningRate * weightDecay,
    rate: learningRate / (1 - power(beta1, step)),
    correction: 1 / Math.sqrt(1 - power(beta2, step)),
  };
  dispatchInto(adamWOp, [gradient], params, [weight, m, v]);
}

/** xⁿ for a natural n: Math.pow differs between engines. */
function power(x: number, n: number): number {
  let result = 1;
  for (let base = x, rest = n; rest > 0; rest = Math.floor(rest / 2), base *= base) {
    if (rest % 2 === 1) result *= base;
  }
  return result;
}
