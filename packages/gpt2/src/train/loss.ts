import { fromData, type Tensor, tidy } from "@gpt2-ts/tensor";
import { Batch } from "../model/batch.ts";
import { logprobs } from "../model/logprobs.ts";
import { forward, type Model, type T } from "../model/model.ts";

/** Sequences, and for each of their tokens the one that follows it. */
export interface TrainingBatch extends Disposable {
  readonly batch: Batch;
  readonly targets: Tensor<[T], "int32">;
}

/**
 * Packs sequences of at least two tokens: the model reads all but the last of each, and is to predict all but the first.
 *
 * @throws TokenIdError, ContextLengthError
 */
export function trainingBatch(model: Model, sequences: readonly ArrayLike<number>[]): TrainingBatch {
  const all = sequences.map((ids) => Array.from(ids));
  const batch = new Batch(
    model,
    all.map((ids) => ({ ids: ids.slice(0, -1) })),
  );
  const targets = fromData(
    all.flatMap((ids) => ids.slice(1)),
    [batch.length],
    { dtype: "int32", device: model.weights.wte.device },
  );
  return {
    batch,
    targets,
    [Symbol.dispose]() {
      batch.dispose();
      targets.dispose();
    },
  };
}

/**
 * The loss: −log p of each token that follows, in nats, and of these the mean. The forward pass is the one that generates.
 *
 * @param count what the sum is divided by: the tokens to predict in the whole step, where the batch is a part of one. Means of parts
 *   that are not equally long would weigh their tokens differently. Default: those of the batch
 */
export function lossOf(model: Model, { batch, targets }: TrainingBatch, count: number = batch.length): Tensor<[]> {
  return tidy(() =>
    logprobs(model, forward(model, batch), targets)
      .sum()
      .mul(-1 / count),
  );
}
