import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type GPT2Config, loadConfig, modelSource, weightsFor } from "@gpt2-ts/gpt2";
import { Generator } from "@gpt2-ts/tensor";
import { type TensorInput, writeFile as writeTensors } from "safetensors-ts";

/** The model of the reference logits. */
export const SHAKESPEARE = fileURLToPath(new URL("../../../../weights/shakespeare", import.meta.url));

/** Writes a model of one block of 16 channels, with random weights and the Shakespeare model's vocabulary. */
export async function writeTinyModel(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const file of ["vocab.json", "merges.txt"]) await copyFile(join(SHAKESPEARE, file), join(folder, file));
  const json = { model_type: "gpt2", n_layer: 1, n_head: 2, n_embd: 16, n_positions: 128, vocab_size: 1024 };
  await writeFile(join(folder, "config.json"), JSON.stringify(json));
  const config: GPT2Config = await loadConfig(await modelSource(folder));
  const generator = new Generator(7);
  const tensors = new Map<string, TensorInput>();
  for (const { name, shape } of weightsFor(config)) {
    const size = shape.reduce((product, dim) => product * dim, 1);
    const data = Float32Array.from({ length: size }, () => 0.3 * generator.normal());
    tensors.set(name, { dtype: "F32", shape, data });
  }
  await writeTensors(join(folder, "model.safetensors"), tensors);
}
