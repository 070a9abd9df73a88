import { parameterCount } from "@gpt2-ts/gpt2";
import { checkTrainingMemory, newConfig, type TrainingMemory, type TrainingOptions } from "@gpt2-ts/gpt2/train";

/** The shape of the model, and how it is trained. */
export interface Settings {
  readonly layers: number;
  readonly heads: number;
  readonly channels: number;
  readonly context: number;
  /** Tokens that there may be; a short text gives fewer. */
  readonly vocabulary: number;
  readonly steps: number;
  /** Sequences of a whole context in each step. */
  readonly sequences: number;
  readonly rate: number;
  readonly seed: number;
}

export type SettingName = keyof Settings;

/** How a setting is asked for. */
export interface Field {
  readonly name: SettingName;
  readonly label: string;
  readonly note: string;
  /** The defaults learn visibly within a minute, on one thread of a laptop. */
  readonly initial: number;
  readonly min: number;
  readonly max: number;
  /** Whether it need not be an integer. */
  readonly isReal?: boolean;
}

export const FIELDS: readonly Field[] = [
  { name: "layers", label: "Layers", note: "one after another", initial: 2, min: 1, max: 48 },
  { name: "heads", label: "Heads", note: "in each layer", initial: 4, min: 1, max: 25 },
  { name: "channels", label: "Channels", note: "numbers a token", initial: 64, min: 8, max: 1600 },
  { name: "context", label: "Context", note: "tokens it looks back", initial: 64, min: 8, max: 1024 },
  { name: "vocabulary", label: "Vocabulary", note: "tokens, at most", initial: 384, min: 257, max: 50_257 },
  { name: "seed", label: "Seed", note: "of all that is random", initial: 1, min: 0, max: 2 ** 31 - 1 },
  { name: "steps", label: "Steps", note: "updates of the weights", initial: 1000, min: 1, max: 100_000 },
  { name: "sequences", label: "Sequences", note: "read in each step", initial: 8, min: 1, max: 256 },
  { name: "rate", label: "Learning rate", note: "at its highest", initial: 0.006, min: 0.000001, max: 1, isReal: true },
];

/** What is wrong with a value, if something is. */
export function problemOf(value: number, { min, max, isReal }: Field): string | undefined {
  if (!isReal && !Number.isInteger(value)) return `an integer from ${min}`;
  return value >= min && value <= max ? undefined : `from ${min} to ${max}`;
}

/** The options of the library's `train`. */
export function trainingOptions({ steps, context, sequences, rate, seed }: Settings): TrainingOptions {
  const evalEvery = Math.ceil(steps / LOOKS);
  const batchTokens = sequences * context;
  return { steps, context, batchTokens, learningRate: rate, seed, evalEvery, evalTokens: LOOK_TOKENS };
}

/** How often the held-out text is looked at, and a sample drawn. */
const LOOKS = 20;
/** Few, so that looking takes less time than learning. */
const LOOK_TOKENS = 2048;

/** What training takes, before it begins. */
export interface Estimate {
  readonly parameters: number;
  readonly memory: TrainingMemory;
}

/** @throws OptionError for channels that the heads cannot share; DeviceError for a model that is too large to be trained in a page */
export function estimate(settings: Settings): Estimate {
  const config = newConfig({ ...settings, vocabSize: settings.vocabulary });
  return { parameters: parameterCount(config), memory: checkTrainingMemory(config, trainingOptions(settings)) };
}
