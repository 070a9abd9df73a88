// What needs a file system: converting a model into a folder, training in one, and the Hugging Face Hub's cache.
export { convertModel } from "./checkpoint/convert/convert.ts";
export type { ConvertOptions, ConvertProgress } from "./checkpoint/convert/options.ts";
export {
  type DownloadedFile,
  type DownloadedModel,
  type DownloadOptions,
  downloadModel,
  findCachedModel,
  splitRevision,
  type WeightChoice,
} from "./hub/index.ts";
export { removeAbandoned, temporaryPath } from "./process-owner.ts";
export type {
  FolderProgress,
  ResumeOptions,
  RunOptions,
  TrainFolderOptions,
  TrainingBeginning,
} from "./train/folder/options.ts";
export { checkTrainFolder, resumeTraining, trainFolder } from "./train/folder/train-folder.ts";
export { writeWhole } from "./write-whole.ts";
