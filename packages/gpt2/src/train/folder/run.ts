import { join } from "node:path";
import { SINGLE_FILE } from "../../checkpoint/open-checkpoint.ts";
import type { GPT2 } from "../../gpt2.ts";
import { parameterCount, weightsFor } from "../../model/weights.ts";
import { writeWhole } from "../../write-whole.ts";
import { trainedNames } from "../freeze.ts";
import { trainingMemory } from "../memory.ts";
import { progressOf, type TrainResult } from "../train.ts";
import type { Trainer } from "../trainer.ts";
import type { Lock } from "./lock.ts";
import { appendRecord, type LogRecord, recordOf } from "./log.ts";
import { lossCurve } from "./loss-curve.ts";
import type { FolderProgress, RunOptions, TrainingBeginning } from "./options.ts";
import { CURVE_FILE, LOG_FILE, replaceTensors, saveState, TRAINING } from "./state.ts";
import type { EncodedTexts } from "./texts.ts";

/** A training that stands in its folder and may run. */
export interface Standing {
  readonly folder: string;
  readonly trainer: Trainer;
  readonly gpt2: GPT2;
  readonly data: EncodedTexts;
  readonly lock: Lock;
  /** What was logged before. */
  readonly records: LogRecord[];
}

/**
 * Runs what is left of a training, and keeps the folder up to date: after each look at the held-out text, and when it is stopped.
 *
 * @throws TrainingError; SafetensorsError, or an Error that names another file, if the disk is full; `signal.reason`
 */
export async function runInFolder(standing: Standing, { onProgress, signal }: RunOptions): Promise<TrainResult> {
  const { folder, trainer, gpt2, data, lock, records } = standing;
  const log = join(folder, TRAINING, LOG_FILE);
  const curve = join(folder, TRAINING, CURVE_FILE);
  let [loss, heldOutLoss]: (number | undefined)[] = [];
  let saved = trainer.position.step;
  const tell = async (progress: FolderProgress): Promise<void> => onProgress?.(progress, gpt2);
  const save = async (model: boolean): Promise<void> => {
    const { step } = trainer.position;
    // The model first: the state says how good the best one is.
    if (model) await replaceTensors(join(folder, SINGLE_FILE), trainer.weights());
    await saveState(folder, trainer);
    await writeWhole(curve, lossCurve(records));
    saved = step;
    await tell({ type: "saved", step, model });
  };
  await tell({ type: "begin", ...beginningOf(trainer, data) });
  try {
    for await (const progress of progressOf(trainer, signal)) {
      const record = recordOf(progress);
      if (record) {
        records.push(record);
        await appendRecord(log, record);
      }
      await lock.touch();
      if (progress.type === "step") loss = progress.loss;
      else heldOutLoss = progress.heldOutLoss;
      await tell(progress);
      if (progress.type === "evaluation" && progress.step > 0)
        await save(progress.best || progress.heldOutLoss === undefined);
    }
  } catch (error) {
    // A model that no held-out text can tell from better ones is the latest.
    if (signal?.aborted && trainer.position.step > saved) await save(data.heldOut.length === 0);
    throw error;
  }
  return { ...trainer.position, loss, heldOutLoss };
}

function beginningOf({ model, options, position }: Trainer, data: EncodedTexts): TrainingBeginning {
  const { config } = model;
  const names = trainedNames(config, options.freeze);
  const isTrained = (name: string): boolean => names.has(name);
  const trained = weightsFor(config)
    .filter(({ name }) => isTrained(name))
    .reduce((sum, { shape }) => sum + shape.reduce((size, dim) => size * dim, 1), 0);
  return {
    step: position.step,
    options,
    parameters: parameterCount(config),
    trained,
    trainTokens: data.train.length,
    heldOutTokens: data.heldOut.length,
    heldOutCharacters: data.heldOutCharacters,
    memory: trainingMemory(config, { tokens: options.microBatchTokens, isTrained, dropout: options.dropout > 0 }),
  };
}
