export { Batch, type Observer, type PassInput, type Sequence } from "./batch.ts";
export { expectedShapes } from "./checkpoint-tensors.ts";
export type { GPT2Config } from "./config.ts";
export { Context } from "./context.ts";
export { ContextLengthError, ModelFormatError, TokenIdError } from "./errors.ts";
export type { FinishReason } from "./generate.ts";
export { type FromPretrainedOptions, GPT2, type LoadOptions, type Text } from "./gpt2.ts";
export { HubError, type HubErrorCode, type HubErrorDetails } from "./hub/error.ts";
export type { DownloadProgress } from "./hub/progress.ts";
export type { RetryNotice } from "./hub/retry.ts";
export type { HiddenStates } from "./inspect.ts";
export { KVCache, type Past } from "./kv-cache.ts";
export {
  disposeModel,
  type LoadModelOptions,
  type LoadProgress,
  loadConfig,
  loadModel,
  loadTokenizer,
} from "./load.ts";
export * from "./model.ts";
export { type ModelFiles, type ModelSource, modelSource } from "./model-source.ts";
export type { DeviceOptions } from "./open-device.ts";
export { OptionError } from "./options.ts";
export { draw, type NextToken, nextToken, type SamplingOptions } from "./sampling.ts";
export type { ScoreOptions, ScoreProgress } from "./score.ts";
export type { GenerateOptions, Generation } from "./text-generation.ts";
export type { Score } from "./text-score.ts";
export { TokenizerError, type TokenizerErrorDetails } from "./tokenizer/errors.ts";
export type { AllowedSpecial } from "./tokenizer/special-tokens.ts";
export type { StreamDecoder } from "./tokenizer/stream-decoder.ts";
export { type TrainedVocabulary, type TrainOptions, type TrainProgress, trainBPE } from "./tokenizer/train.ts";
export { type EncodeOptions, Tokenizer, type TokenizerFiles } from "./tokenizer.ts";
