import { join } from "node:path";
import { type Backend, fillAsync, type Tensor } from "@gpt2-ts/tensor";
import { open, writeFile } from "safetensors-ts";
import { ModelFormatError } from "../../errors.ts";
import type { GPT2Config } from "../../model/config.ts";
import type { Model } from "../../model/model.ts";
import { buildWeights, sizesOf, weightsFor } from "../../model/weights.ts";
import { removeAbandoned, temporaryPath } from "../../process-owner.ts";
import { METADATA, tensorInputs } from "../model-file.ts";
import type { Trainer, TrainingPosition } from "../trainer.ts";

/** The folder of a model has one of this name where it was trained. */
export const TRAINING = "training";
export const OPTIONS_FILE = "options.json";
export const LOG_FILE = "log.jsonl";
export const CURVE_FILE = "loss.svg";
/**
 * Weights, running means and position, all in one file: a rename replaces them together, so that they belong together at any moment.
 * The model beside it is the best one so far, which need not be the latest.
 */
const STATE_FILE = "state.safetensors";

/** Writes tensors to a file of a folder at once: what was there before stays until all is written. */
export async function replaceTensors(
  path: string,
  tensors: Iterable<readonly [string, Tensor]>,
  metadata: Readonly<Record<string, string>> = METADATA,
): Promise<void> {
  await removeAbandoned(path);
  await writeFile(path, tensorInputs(tensors), metadata, { temporary: temporaryPath(path) });
}

export async function saveState(folder: string, trainer: Trainer): Promise<void> {
  const position = JSON.stringify(trainer.position);
  await replaceTensors(join(folder, TRAINING, STATE_FILE), trainer.state(), { position });
}

/** The state that a training goes on from. */
export interface SavedState extends AsyncDisposable {
  readonly position: TrainingPosition;
  /** The model, with its weights as they were; the caller disposes of it. */
  model(device: Backend): Promise<Model>;
  /** Has the trainer of that model go on. */
  restore(trainer: Trainer): Promise<void>;
}

/** @throws ModelFormatError; what safetensors-ts throws for a broken file */
export async function openState(folder: string, config: GPT2Config): Promise<SavedState> {
  const path = join(folder, TRAINING, STATE_FILE);
  const file = await open(path);
  const position = positionOf(file.metadata?.["position"], path);
  const read = async (name: string, shape: readonly number[], device: Backend): Promise<Tensor> => {
    const info = await file.info(name);
    if (info.shape.length !== shape.length || info.shape.some((size, i) => size !== shape[i])) {
      throw new ModelFormatError(
        path,
        `tensor ${name} is [${info.shape.join(", ")}]; expected [${shape.join(", ")}]`,
        name,
      );
    }
    return fillAsync(shape, (data) => file.readFloat32Into(name, data), { device });
  };
  return {
    position,
    async model(device) {
      const fitting = { ...config, tieWordEmbeddings: !file.has("lm_head.weight") };
      const tensors = new Map<string, Tensor>();
      try {
        for (const { name, shape } of weightsFor(fitting)) tensors.set(name, await read(name, shape, device));
      } catch (error) {
        for (const tensor of tensors.values()) tensor.dispose();
        throw error;
      }
      const weights = buildWeights(fitting, ({ name }) => tensors.get(name)!);
      return { config: fitting, sizes: sizesOf(fitting), weights, cacheDtype: "f32" };
    },
    async restore(trainer) {
      const weights = trainer.weights();
      for (const [name, tensor] of trainer.state()) {
        if (weights.has(name)) continue;
        using saved = await read(name, tensor.shape, tensor.device);
        tensor.copy_(saved);
      }
      trainer.resume(position);
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

function positionOf(json: string | undefined, path: string): TrainingPosition {
  try {
    const { step, evaluated, best } = JSON.parse(json ?? "") as TrainingPosition; // JSON leaves out what is undefined
    if (Number.isSafeInteger(step)) return { step, evaluated, best };
  } catch {
    // said below
  }
  throw new ModelFormatError(path, "it does not say which step of a training it is of");
}
