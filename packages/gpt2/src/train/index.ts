// `@gpt2-ts/gpt2/train`: training, in Node and in pages.
export { type ModelShape, newConfig } from "../model/new-config.ts";
export {
  type Document,
  type EncodedDocuments,
  encodeDocuments,
  holdOut,
  joinTokens,
  type TokenIds,
  type TrainingData,
} from "./data.ts";
export { TrainingError } from "./errors.ts";
export { lossOf, type TrainingBatch, trainingBatch } from "./loss.ts";
export { checkTrainingMemory, type TrainingLoad, type TrainingMemory, trainingMemory } from "./memory.ts";
export { modelFile, modelFiles } from "./model-file.ts";
export type { ResolvedOptions, TrainingOptions } from "./options.ts";
export { type TrainingProgress, type TrainOptions, type TrainResult, train } from "./train.ts";
export { Trainer, type TrainingPosition, type TrainingStep } from "./trainer.ts";
