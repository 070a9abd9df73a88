import type { View } from "../backends/backend.ts";
import { gelu, geluExact, quickGelu, relu, sigmoid, silu, tanh } from "./unary.ts";

/** Element-wise functions that a linear layer can end in. */
export const activations: Readonly<Record<Exclude<Activation, "none">, (x: View) => View>> = {
  gelu,
  geluExact,
  quickGelu,
  relu,
  sigmoid,
  silu,
  tanh,
};

/**
 * What a linear layer applies to its sums. `gelu` is GPT-2's, the tanh form, and costs no pass over memory of its own;
 * `geluExact` is the one with erf.
 */
export type Activation = "none" | "gelu" | "geluExact" | "quickGelu" | "relu" | "sigmoid" | "silu" | "tanh";
