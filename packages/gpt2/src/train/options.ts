import { checkOptionNames, OptionError, showValue } from "@gpt2-ts/tensor/options";
import type { GPT2Config } from "../model/config.ts";
import { checkInteger, checkNumber } from "../options.ts";
import type { TrainingData } from "./data.ts";

/** How a model is trained. Together with the data, the model and the device these decide every bit of the result. */
export interface TrainingOptions {
  /** Updates of the weights. Default: as many as go over the tokens three times. */
  readonly steps?: number | undefined;
  /** The tokens that a sequence is predicted from. Default: all that the model has positions for. */
  readonly context?: number | undefined;
  /** Tokens to predict in each step, a multiple of the context. Default: 2,048, or one sequence if that is longer. */
  readonly batchTokens?: number | undefined;
  /** Tokens that are computed at once, a multiple of the context: memory grows with them. Default: 1,024, or one sequence. */
  readonly microBatchTokens?: number | undefined;
  /** The highest learning rate. Default: 3e-4. */
  readonly learningRate?: number | undefined;
  /** That of the last step. Default: a tenth of the highest. */
  readonly minLearningRate?: number | undefined;
  /** Steps in which the learning rate rises. Default: a twentieth of all, 100 at most. */
  readonly warmupSteps?: number | undefined;
  /** Of matrices and tables; vectors do not decay. Default: 0.1. */
  readonly weightDecay?: number | undefined;
  /** AdamW's. Default: 0.9. */
  readonly beta1?: number | undefined;
  /** AdamW's. Default: 0.99. */
  readonly beta2?: number | undefined;
  /** The largest norm of a step's gradients. Default: 1. */
  readonly clip?: number | undefined;
  /**
   * The share of numbers that each step drops at random: of the embeddings, and of what attention and MLP add to the residual stream.
   * Default: 0, which suits a model that does not see its text more than a few times.
   */
  readonly dropout?: number | undefined;
  /** Of the order of the data, and of what is dropped. Default: 1. */
  readonly seed?: number | undefined;
  /** Names of weights that stay as they are, such as `"h.0.*"` or `"wpe.weight"`; `*` stands for anything. Default: none. */
  readonly freeze?: readonly string[] | undefined;
  /** Steps from one look at the held-out tokens to the next. Default: a twentieth of all, 250 at most. */
  readonly evalEvery?: number | undefined;
  /** The held-out tokens that are looked at, evenly spread. Default: 32,768. */
  readonly evalTokens?: number | undefined;
}

/** The same without gaps. */
export type ResolvedOptions = { readonly [Name in keyof TrainingOptions]-?: NonNullable<TrainingOptions[Name]> };

export const trainingOptionNames = [
  ...([
    "steps",
    "context",
    "batchTokens",
    "microBatchTokens",
    "learningRate",
    "minLearningRate",
    "warmupSteps",
  ] as const),
  ...(["weightDecay", "beta1", "beta2", "clip", "dropout", "seed", "freeze", "evalEvery", "evalTokens"] as const),
] satisfies readonly (keyof TrainingOptions)[];

/** Passes over the tokens where nothing is said. */
const PASSES = 3;

/** Throws an {@link OptionError} for an option that is unknown or out of range, as far as that can be told without model and data. */
export function checkTrainingOptions(options: TrainingOptions): void {
  checkOptionNames(options, trainingOptionNames);
  for (const name of ["steps", "context", "batchTokens", "microBatchTokens", "evalEvery", "evalTokens"] as const) {
    checkInteger(name, options[name], 1);
  }
  checkInteger("warmupSteps", options.warmupSteps, 0);
  checkInteger("seed", options.seed, 0);
  const { learningRate = 3e-4, context } = options;
  checkNumber("learningRate", options.learningRate, "a number above 0", (value) => value > 0);
  checkNumber(
    "minLearningRate",
    options.minLearningRate,
    `a number from 0 to the learning rate, ${learningRate}`,
    (value) => value >= 0 && value <= learningRate,
  );
  checkNumber("weightDecay", options.weightDecay, "a number from 0", (value) => value >= 0);
  for (const name of ["beta1", "beta2", "dropout"] as const) {
    checkNumber(name, options[name], "a number from 0 to below 1", (value) => value >= 0 && value < 1);
  }
  checkNumber("clip", options.clip, "a number above 0", (value) => value > 0);
  if (
    options.freeze !== undefined &&
    !(Array.isArray(options.freeze) && options.freeze.every((name) => typeof name === "string"))
  ) {
    throw new OptionError("freeze", `expected an array of names, got ${showValue(options.freeze)}`);
  }
  for (const name of ["batchTokens", "microBatchTokens"] as const) {
    const value = options[name];
    if (value !== undefined && context !== undefined && value % context !== 0) {
      throw new OptionError(name, `expected a multiple of the context, ${context}, got ${value}`);
    }
  }
}

/** The context, and the tokens computed at once: what memory depends on. */
export function sizesOfBatch(
  options: TrainingOptions,
  { nPositions }: GPT2Config,
): { context: number; batchTokens: number; microBatchTokens: number } {
  const { context = nPositions } = options;
  if (context > nPositions) {
    throw new OptionError("context", `the model has ${nPositions} positions; got ${context}`);
  }
  const multiple = (tokens: number): number => Math.max(1, Math.floor(tokens / context)) * context;
  const { batchTokens = multiple(2048) } = options;
  const { microBatchTokens = Math.min(batchTokens, multiple(1024)) } = options;
  checkTrainingOptions({ ...options, context, batchTokens, microBatchTokens });
  return { context, batchTokens, microBatchTokens: Math.min(microBatchTokens, batchTokens) };
}

/**
 * Fills the gaps in.
 *
 * @throws OptionError, also for data that is too short for one sequence
 */
export function resolveOptions(options: TrainingOptions, config: GPT2Config, data: TrainingData): ResolvedOptions {
  checkTrainingOptions(options);
  const sizes = sizesOfBatch(options, config);
  const { context, batchTokens } = sizes;
  if (data.train.length <= context) {
    const message = `the text has ${data.train.length} tokens to learn from; sequences of ${context} need at least ${context + 1}`;
    throw new OptionError("context", message);
  }
  const { steps = Math.max(1, Math.ceil((PASSES * data.train.length) / batchTokens)), learningRate = 3e-4 } = options;
  const { warmupSteps = Math.min(100, Math.floor(steps / 20)) } = options;
  if (warmupSteps > steps)
    throw new OptionError("warmupSteps", `expected at most the ${steps} steps that there are, got ${warmupSteps}`);
  return {
    ...sizes,
    steps,
    learningRate,
    minLearningRate: options.minLearningRate ?? learningRate / 10,
    warmupSteps,
    weightDecay: options.weightDecay ?? 0.1,
    beta1: options.beta1 ?? 0.9,
    beta2: options.beta2 ?? 0.99,
    clip: options.clip ?? 1,
    dropout: options.dropout ?? 0,
    seed: options.seed ?? 1,
    freeze: options.freeze ?? [],
    evalEvery: options.evalEvery ?? Math.min(250, Math.ceil(steps / 20)),
    evalTokens: options.evalTokens ?? 32_768,
  };
}
