import { embedding, fromData, type Tensor, targetLogProbs, tidy } from "@gpt2-ts/tensor";
import type { C, Model } from "./model.ts";
import { pauses } from "./pauses.ts";

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

/** Logits of one step: some tens of rows of GPT-2's vocabulary. */
const LOGITS_PER_STEP = 2 ** 22;
/** Rows of a step are a multiple of this, so that kernels that take several rows at once have whole ones. */
const ROW_MULTIPLE = 16;

/**
 * The log-probability of `targets[i]` after row `rows[i]` of the stack's output `x` `[T, C]`, with pauses.
 *
 * @throws `signal.reason` when aborted
 */
export async function logprobsOf(
  model: Model,
  x: Tensor<[number, C]>,
  rows: readonly number[],
  targets: readonly number[],
  signal?: AbortSignal,
): Promise<Float32Array> {
  const { device } = x;
  const result = new Float32Array(rows.length);
  const pause = pauses(signal);
  const atOnce = Math.max(1, Math.floor(LOGITS_PER_STEP / (model.config.vocabSize * ROW_MULTIPLE))) * ROW_MULTIPLE;
  for (let start = 0; start < rows.length; start += atOnce) {
    await pause();
    using part = tidy(() => {
      const some = (of: readonly number[]): Tensor<[number], "int32"> => {
        const slice = of.slice(start, start + atOnce);
        return fromData(slice, [slice.length], { dtype: "int32", device });
      };
      return logprobs(model, embedding(x, some(rows)), some(targets));
    });
    result.set(await part.data(), start);
  }
  return result;
}
