import { fromData, Generator, observe, type Storage, Tensor } from "@gpt2-ts/tensor";
import type { Batch } from "../model/batch.ts";
import type { Model } from "../model/model.ts";
import { DROPOUT } from "./streams.ts";

/**
 * Dropout (Srivastava et al., 2014) where GPT-2 has it: on the sum of the embeddings, and on what attention and MLP add to the residual
 * stream. Each number is zero with probability `rate`, or else divided by 1 − rate. The forward pass knows nothing of it: a listener
 * puts other results in the places of those operations, and gradients follow what it computes.
 *
 * What is dropped is a function of the seed and of the sequence's number in the whole training: not of how a step is divided.
 *
 * @param firstSequence number of the batch's first sequence; those behind it have the next ones
 */
export function withDropout<Result>(
  { model, batch, rate, seed, firstSequence }: DropoutOptions,
  body: () => Result,
): Result {
  if (rate === 0) return body();
  const { wte, wpe, h } = model.weights;
  const tables = new Set<Storage>([wte.storage, wpe.storage]);
  const projections = new Set<Storage>(
    h.flatMap(({ attn, mlp }) => [attn.cProj.weight.storage, mlp.cProj.weight.storage]),
  );
  const random = batch.starts.map((_, i) => new Generator(seed, [DROPOUT, firstSequence + i]));
  /** What the two tables gave, which are added next. */
  const embedded = new Set<Storage>();
  return observe(
    {
      after({ op, inputs }, [out]) {
        if (op.name === "embedding" && tables.has(inputs[0]!.storage)) embedded.add(out!.storage);
        const isSum = op.name === "add" && embedded.size > 0 && inputs.every(({ storage }) => embedded.has(storage));
        const isProjection = op.name === "linear" && projections.has(inputs[1]!.storage);
        if (!isSum && !isProjection) return undefined;
        if (isSum) embedded.clear();
        const result = new Tensor(out!) as Tensor;
        return [result.mul(mask(result.shape as [number, number]))];
      },
    },
    body,
  );

  function mask(shape: readonly [rows: number, channels: number]): Tensor {
    const [rows, channels] = shape;
    const values = new Float32Array(rows * channels);
    const kept = 1 / (1 - rate);
    const threshold = rate * 2 ** 32;
    for (const [i, start] of batch.starts.entries()) {
      const end = (batch.starts[i + 1] ?? rows) * channels;
      for (let at = start * channels; at < end; at++) values[at] = random[i]!.uint32() < threshold ? 0 : kept;
    }
    return fromData(values, shape, { device: wte.device });
  }
}

interface DropoutOptions {
  readonly model: Model;
  readonly batch: Batch;
  readonly rate: number;
  readonly seed: number;
  readonly firstSequence: number;
}
