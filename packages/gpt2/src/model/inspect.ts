import {
  attentionWeights,
  keep,
  type OpListener,
  observe,
  Tensor,
  tidy,
  type Vectors,
  type View,
} from "@gpt2-ts/tensor";
import { Batch } from "./batch.ts";
import { type C, type D, forward, type H, logits, type Model, type T, type V } from "./model.ts";
import { weightsByStorage } from "./places.ts";

/** What flows through the model on its way to the logits. */
export interface HiddenStates {
  /** The residual stream after each block, `[T, C]`. */
  readonly blocks: readonly Tensor<[T, C]>[];
  /** The last of them after the final layer normalization: what the logits are computed from. */
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

/** The layer normalization that reads what a block left: the next block's first, or the final one. */
const READS_A_BLOCKS_RESULT = /^(h\.[1-9]\d*\.ln_1|ln_f)\.weight$/;

/**
 * The residual stream, layer by layer. The caller disposes of the tensors.
 *
 * @throws TokenIdError, ContextLengthError
 */
export function hiddenStates(model: Model, ids: readonly number[]): HiddenStates {
  const weightOf = weightsByStorage(model);
  const blocks: Tensor<[T, C]>[] = [];
  using batch = new Batch(model, [{ ids }]);
  const final = observeOrDispose(
    blocks,
    {
      before({ op, inputs: [x, gain] }) {
        if (op.name !== "layerNorm" || model.weights.h.length === 0) return;
        if (READS_A_BLOCKS_RESULT.test(weightOf(gain!.storage)?.name ?? "")) blocks.push(kept(x!));
      },
    },
    () => forward(model, batch),
  );
  return { blocks, final };
}

/**
 * How much each token attends to each other, for each layer: `[H, T, T]`, where row t holds the probabilities of columns 0..t,
 * then zeros. The caller disposes of the tensors.
 *
 * @throws TokenIdError, ContextLengthError
 */
export function attentionMaps(model: Model, ids: readonly number[]): Tensor<[H, T, number]>[] {
  const maps: Tensor<[H, T, number]>[] = [];
  using batch = new Batch(model, [{ ids }]);
  using _ = observeOrDispose(
    maps,
    {
      before({ op, inputs: [query, key], params }) {
        if (op.name !== "attention") return;
        const { scale } = params as { readonly scale: number };
        maps.push(keep(attentionWeights(shown<[T, H, D]>(query!), shown(key!) as Vectors<T, H, D>, { scale })));
      },
    },
    () => forward(model, batch),
  );
  return maps;
}

/** A pass under the eyes of a listener that keeps tensors in `kept`; they are disposed of if it fails. */
function observeOrDispose<Result>(
  kept: readonly { dispose(): void }[],
  listener: OpListener,
  pass: () => Result,
): Result {
  try {
    return observe(listener, pass);
  } catch (error) {
    for (const tensor of kept) tensor.dispose();
    throw error;
  }
}

/** A tensor that shares a view's memory, for as long as the listener that makes it runs. */
function shown<S extends readonly number[]>(view: View): Tensor<S> {
  return new Tensor<S>(view as View<"float32">);
}

/** One that stays until it is disposed of. */
function kept<S extends readonly number[]>(view: View): Tensor<S> {
  return keep(shown<S>(view));
}
