import type { Activation } from "@gpt2-ts/tensor";

/**
 * The activation functions that a `config.json` can name, by the names that Hugging Face `transformers` gives them
 * (`ACT2FN`), several of which stand for one function.
 */
export const activationNames: Readonly<Record<string, Activation>> = {
  gelu_new: "gelu",
  gelu_pytorch_tanh: "gelu",
  gelu_python_tanh: "gelu",
  gelu_fast: "gelu",
  gelu_accurate: "gelu",
  gelu: "geluExact",
  gelu_python: "geluExact",
  quick_gelu: "quickGelu",
  relu: "relu",
  silu: "silu",
  swish: "silu",
  sigmoid: "sigmoid",
  tanh: "tanh",
  linear: "none",
};
