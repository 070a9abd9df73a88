import { embedding, fromData, type Tensor, targetLogProbs, tidy } from "@gpt2-ts/tensor";
import type { C, Model } from "./model.ts";

/**
 * The natural log-probability of the token that follows, for each row of the stack's output: the logits' softmax and its logarithm,
 * without `[rows, V]` in memory. Each is a function of its row alone, bit for bit.
 */
export function logprobs<Rows extends number>(
  { weights: { lmHead } }: Model,
  x: Tensor<[Rows, C]>,
  targets: Tensor<[Rows], "int32">,
): Tensor<[Rows]> {
  return tidy(() => targetLogProbs(x, lmHead.transpose(), targets).logProbs); // [rows]
}

/** The log-probability of `targets[i]` after row `rows[i]` of the stack's output `x` `[T, C]`. */
export async function logprobsOf(
  model: Model,
  x: Tensor<[number, C]>,
  rows: readonly number[],
  targets: readonly number[],
): Promise<Float32Array> {
  const { device } = x;
  using result = tidy(() => {
    const index = fromData(rows, [rows.length], { dtype: "int32", device });
    return logprobs(model, embedding(x, index), fromData(targets, [targets.length], { dtype: "int32", device }));
  });
  return await result.data();
}
