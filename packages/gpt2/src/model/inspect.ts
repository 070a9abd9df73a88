import { attentionWeights, keep, type Tensor, tidy } from "@gpt2-ts/tensor";
import { Batch } from "./batch.ts";
import { type C, forward, type H, logits, type Model, type T, type V } from "./model.ts";

/** What flows through the model on its way to the logits. */
export interface HiddenStates {
  /** The residual stream after each block, `[T, C]`. */
  readonly blocks: readonly Tensor<[T, C]>[];
  /** The last of them after the final layer normalization, which the logits are read from. */
  readonly final: Tensor<[T, C]>;
}

/**
 * The scores of every token of the vocabulary after each of `ids`, `[T, V]`. The caller disposes of them.
 *
 * @throws TokenIdError, ContextLengthError
 */
export function allLogits(model: Model, ids: readonly number[]): Tensor<[number, V]> {
  using batch = new Batch(model, [{ ids }]);
  using x = forward(model, batch);
  return tidy(() => logits(model, x));
}

/**
 * The residual stream, layer by layer. The caller disposes of the tensors.
 *
 * @throws TokenIdError, ContextLengthError
 */
export function hiddenStates(model: Model, ids: readonly number[]): HiddenStates {
  const blocks: Tensor<[T, C]>[] = [];
  using batch = new Batch(model, [{ ids }], {
    // A view of the same memory, which stays alive with it.
    hidden: (_, x) => blocks.push(keep(x.slice(0, 0) as Tensor<[T, C]>)),
  });
  return { blocks, final: forward(model, batch) };
}

/**
 * For each layer how much each token attends to each: `[H, T, T]`, where row t holds the probabilities of columns 0..t and
 * zeros. The caller disposes of the tensors.
 *
 * @throws TokenIdError, ContextLengthError
 */
export function attentionMaps(model: Model, ids: readonly number[]): Tensor<[H, T, number]>[] {
  const maps: Tensor<[H, T, number]>[] = [];
  using batch = new Batch(model, [{ ids }], {
    attention: (_, query, key) => maps.push(keep(attentionWeights(query, key))),
  });
  using _ = forward(model, batch);
  return maps;
}
