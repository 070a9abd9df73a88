import type { Tensor } from "@gpt2-ts/tensor";
import { type LazyTensorData, type Own, serialize, type TensorInput } from "safetensors-ts";
import { configFile } from "../model/config-file.ts";
import type { Model } from "../model/model.ts";
import { namedWeights } from "../model/weights.ts";

/** As the Hub's checkpoints say it. */
export const METADATA = { format: "pt" } as const;

/** Tensors as a safetensors file takes them, each read from the device when it is written. */
export function tensorInputs(tensors: Iterable<readonly [string, Tensor]>): Map<string, TensorInput<LazyTensorData>> {
  return new Map(
    Array.from(tensors, ([name, tensor]) => [name, { dtype: "F32", shape: tensor.shape, data: () => tensor.data() }]),
  );
}

/** A model's weights as the bytes of a `model.safetensors`, in float32, for wherever there are no files to write. */
export async function modelFile(model: Model): Promise<Own<Uint8Array>> {
  const tensors = new Map<string, TensorInput>();
  for (const [{ name }, tensor] of namedWeights(model)) {
    tensors.set(name, { dtype: "F32", shape: tensor.shape, data: await tensor.data() });
  }
  return serialize(tensors, METADATA);
}

/**
 * A model as the files of its folder, by name, for wherever there are no paths: `GPT2.load` takes them, and a page can save them.
 *
 * @param vocabulary the texts of its `vocab.json` and `merges.txt`, as `trainBPE` gives them
 */
export async function modelFiles(
  model: Model,
  { vocab, merges }: { readonly vocab: string; readonly merges: string },
): Promise<Record<"config.json" | "vocab.json" | "merges.txt" | "model.safetensors", Blob>> {
  return {
    "config.json": new Blob([configFile(model.config)]),
    "vocab.json": new Blob([vocab]),
    "merges.txt": new Blob([merges]),
    "model.safetensors": new Blob([await modelFile(model)]),
  };
}
