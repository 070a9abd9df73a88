export { OptionError } from "@gpt2-ts/tensor/options";
export type { Alternative } from "./alternatives.ts";
export {
  DTYPES,
  defaultCacheDtype,
  type LoadModelOptions,
  type LoadProgress,
  loadConfig,
  loadModel,
} from "./checkpoint/load.ts";
export { loadTokenizer } from "./checkpoint/load-tokenizer.ts";
export { type Checkpoint, openCheckpoint } from "./checkpoint/open-checkpoint.ts";
export { CONVERTED_DTYPES, type ConvertedDtype, convertedTo } from "./checkpoint/quantization.ts";
export { type ModelFiles, type ModelSource, modelSource } from "./checkpoint/source/index.ts";
export { fitConfig } from "./checkpoint/stored-weights.ts";
export { bytesAs } from "./checkpoint/tensors.ts";
export type { DeviceOptions } from "./device-options.ts";
export { ContextLengthError, ModelFormatError, TokenIdError } from "./errors.ts";
export type { AdjustmentOptions } from "./generate/adjust-logits.ts";
export { Context } from "./generate/context.ts";
export type { GenerationDefaults } from "./generate/defaults.ts";
export type { GenerateAllOptions } from "./generate/generate.ts";
export type { Drafter, Speculation } from "./generate/lookup.ts";
export {
  checkGenerateOptions,
  type GenerateOptions,
  type ResolvedOptions,
  resolveOptions,
} from "./generate/options.ts";
export { draw, type NextToken, nextToken, type SamplingOptions } from "./generate/sampling.ts";
export { Scheduler, type SchedulerLimits } from "./generate/scheduler.ts";
export type {
  FinishReason,
  GeneratedToken,
  Sequence as GeneratedSequence,
  SequenceOptions,
  SequenceOutput,
} from "./generate/sequence.ts";
export { StopTexts } from "./generate/stop-texts.ts";
export type { EndEvent, Generation, GenerationEvent, TokenEvent, Usage } from "./generate/text.ts";
export { GPT2 } from "./gpt2.ts";
export { HubError, type HubErrorCode, type HubErrorDetails } from "./hub/error.ts";
export type { DownloadProgress, KeepingProgress } from "./hub/progress.ts";
export type { RetryNotice } from "./hub/retry.ts";
export type { GenerateRequest, LanguageModel, Text } from "./language-model.ts";
export type { FromPretrainedOptions, LoadOptions, PretrainedProgress } from "./load-options.ts";
export { Batch, checkTokenIds, type Sequence } from "./model/batch.ts";
export type { GPT2Config } from "./model/config.ts";
export { disposeModel } from "./model/dispose.ts";
export { initialModel } from "./model/initialize.ts";
export { type HiddenStates, hiddenStates } from "./model/inspect.ts";
export { cacheBytesPerToken, KVCache, type Past } from "./model/kv-cache.ts";
export type { Logprobs, Top } from "./model/logprobs.ts";
export {
  type Block,
  type C as Channels,
  type D as HeadSize,
  type F as InnerChannels,
  forward,
  type H as Heads,
  type LayerNorm,
  type Linear,
  logits,
  type Model,
  type PassInput,
  type Sizes,
  type T as Tokens,
  type V as VocabularySize,
  type Weights,
} from "./model/model.ts";
export { profileNames, weightsByStorage } from "./model/places.ts";
export {
  buildWeights,
  type Initial,
  namedWeights,
  parameterCount,
  sizesOf,
  type Weight,
  type WeightKind,
  weightsFor,
} from "./model/weights.ts";
export { checkInteger } from "./options.ts";
export type { Score } from "./score/text.ts";
export type { ScoreOptions, ScoreProgress } from "./score/tokens.ts";
export type { AddedToken, KnownToken } from "./tokenizer/added-token.ts";
export type { AllowedSpecial } from "./tokenizer/added-vocabulary.ts";
export { TokenizerError, type TokenizerErrorDetails } from "./tokenizer/errors.ts";
export { type MergeStep, mergeSteps } from "./tokenizer/merge-steps.ts";
export type { TokenizerFiles, TokenizerJsonOptions, TokenizerSettings } from "./tokenizer/settings.ts";
export type { StreamDecoder } from "./tokenizer/stream-decoder.ts";
export { StreamEncoder } from "./tokenizer/stream-encoder.ts";
export { type EncodeOptions, Tokenizer } from "./tokenizer/tokenizer.ts";
export { type TrainedVocabulary, type TrainOptions, type TrainProgress, trainBPE } from "./tokenizer/train.ts";
export type { WarningListener } from "./warning.ts";
