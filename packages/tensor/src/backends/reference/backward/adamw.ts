import type { Kernel } from "../../backend.ts";
import { forEachIndex } from "../iterate.ts";

/** What one step of AdamW computes with, the same for every element. */
export interface AdamWParams {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** What the gradient is multiplied by first. */
  readonly gradientScale: number;
  /** What the weight is multiplied by first: 1 − learning rate · weight decay. */
  readonly keep: number;
  /** The learning rate over 1 − beta1ᵗ. */
  readonly rate: number;
  /** 1/√(1 − beta2ᵗ). */
  readonly correction: number;
}

/**
 * One step of AdamW (Loshchilov and Hutter, arXiv:1711.05101, algorithm 2): m += (1 − β₁)(g − m), v += (1 − β₂)(g² − v),
 * w = keep·w − rate·m / (√v·correction + ε). Input: the gradient; outputs, which are read, too: w, m, v; all of one shape.
 */
export const adamWKernel: Kernel<AdamWParams> = ([gradient], params, [w, m, v]) => {
  const { beta1, beta2, epsilon, gradientScale, keep, rate, correction } = params;
  forEachIndex(w!.shape, [gradient!, w!, m!, v!], ([atG, atW, atM, atV]) => {
    const g = gradient!.data[atG!]! * gradientScale;
    const first = m!.data[atM!]! + (1 - beta1) * (g - m!.data[atM!]!);
    const second = v!.data[atV!]! + (1 - beta2) * (g * g - v!.data[atV!]!);
    m!.data[atM!] = first;
    v!.data[atV!] = second;
    w!.data[atW!] = keep * w!.data[atW!]! - (rate * first) / (Math.sqrt(second) * correction + epsilon);
  });
};
