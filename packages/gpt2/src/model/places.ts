import type { Storage } from "@gpt2-ts/tensor";
import type { Model } from "./model.ts";
import { namedWeights, type Weight } from "./weights.ts";

/**
 * Tells which weight a storage is: the weight that an operation reads says where in the model it stands.
 *
 *     const weightOf = weightsByStorage(model);
 *     observe({ before: ({ op, inputs }) => console.log(op.name, inputs.map((x) => weightOf(x.storage)?.name)) }, …);
 *
 * @returns undefined for memory that is no weight. The token embeddings are `wte.weight`, also where they make the logits
 */
export function weightsByStorage(model: Model): (storage: Storage) => Weight | undefined {
  const weights = new Map<Storage, Weight>();
  for (const [weight, { storage }] of namedWeights(model)) weights.set(storage, weight);
  return (storage) => weights.get(storage);
}

/**
 * Names for the operations of a profile: the matrix or table that an operation reads, without its block's number, so that the
 * blocks add up. Vectors give no names: they are small, and every operation reads them alike.
 */
export function profileNames(model: Model): (op: string, storage: Storage) => string | undefined {
  const weightOf = weightsByStorage(model);
  const { lmHead } = model.weights;
  return (op, storage) => {
    if (op !== "embedding" && storage === lmHead.storage) return "lm_head";
    const weight = weightOf(storage);
    if (weight === undefined || weight.kind === "vector") return undefined;
    return weight.name.replace(/^h\.\d+\./, "").replace(/\.weight$/, "");
  };
}
