import type { Backend } from "@gpt2-ts/tensor";
import { checkOptionNames, OptionError } from "@gpt2-ts/tensor/options";
import type { GPT2 } from "../../gpt2.ts";
import { checkInteger, checkNumber } from "../../options.ts";
import type { WarningListener } from "../../warning.ts";
import type { TrainingMemory } from "../memory.ts";
import { checkTrainingOptions, type ResolvedOptions, type TrainingOptions, trainingOptionNames } from "../options.ts";
import type { TrainingProgress } from "../train.ts";

/** What a training in a folder tells as it goes. */
export type FolderProgress =
  | TrainingProgress
  | {
      /** What comes before the first step: learning a tokenizer (its merges), reading the texts (bytes). */
      readonly type: "prepare";
      readonly what: "tokenizer" | "tokens";
      readonly done: number;
      readonly total: number;
    }
  | ({ readonly type: "begin" } & TrainingBeginning)
  | {
      /** The state after this step is on the disk; `model` if the model is too. */
      readonly type: "saved";
      readonly step: number;
      readonly model: boolean;
    };

/** What is trained, on what. */
export interface TrainingBeginning {
  /** Steps that were made before, by a training that is gone on with. */
  readonly step: number;
  readonly options: ResolvedOptions;
  readonly parameters: number;
  /** Those of them that are not frozen. */
  readonly trained: number;
  readonly trainTokens: number;
  readonly heldOutTokens: number;
  /** UTF-16 units of the held-out text: a loss in nats per token times tokens / characters is one per character. */
  readonly heldOutCharacters: number;
  readonly memory: TrainingMemory;
}

/** Where and how a training in a folder runs. None of these changes its result, but `deterministic`, between engines. */
export interface RunOptions {
  /** Default `"wasm"`. The gpu device does not train. */
  readonly device?: "wasm" | "reference" | Backend | undefined;
  /** As in `LoadOptions`. */
  readonly threads?: number | undefined;
  /** As in `LoadOptions`. */
  readonly deterministic?: boolean | undefined;
  /**
   * Called as it goes, and waited for once the training has begun. `gpt2` is the model as it is at the moment; it is not there
   * before. Use it before the function returns, and do not dispose of it.
   */
  readonly onProgress?: ((progress: FolderProgress, gpt2: GPT2 | undefined) => void | Promise<void>) | undefined;
  readonly onWarning?: WarningListener | undefined;
  /** Stops between two passes; what was learned is saved. The training then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A training that begins. Either `model` is given, or one is made. */
export interface TrainFolderOptions extends TrainingOptions, RunOptions {
  /** Paths of UTF-8 text files; of one that ends in `.jsonl` each line is a text, `{"text": …}`. */
  readonly text: readonly string[];
  /** The share of each file, at its end, that is not learned from but tells how well others are predicted. Default: 0.1. */
  readonly heldOut?: number | undefined;
  /** Files that are held out, in place of a share of `text`. */
  readonly heldOutText?: readonly string[] | undefined;
  /** A model folder to begin with, its tokenizer included. Default: random weights. */
  readonly model?: string | URL | undefined;
  /** A model folder whose tokenizer is used. Default: one is learned from the text. */
  readonly tokenizer?: string | URL | undefined;
  /** Tokens of the learned vocabulary. Default: 1,024. */
  readonly vocabSize?: number | undefined;
  /** Of a model that is made. Default: 4. */
  readonly layers?: number | undefined;
  /** Of a model that is made; they share its channels. Default: 4. */
  readonly heads?: number | undefined;
  /** Of a model that is made. Default: 128. */
  readonly channels?: number | undefined;
}

/** A training that goes on. */
export interface ResumeOptions extends RunOptions {
  /** Where the text files are now. Default: where they were. */
  readonly text?: readonly string[] | undefined;
  /** Where the held-out files are now, if there were any. */
  readonly heldOutText?: readonly string[] | undefined;
}

const runNames = ["device", "threads", "deterministic", "onProgress", "onWarning", "signal"] as const;
const modelNames = ["layers", "heads", "channels"] as const;

/** Throws an {@link OptionError} for options that are unknown, out of range, or contradict one another. */
export function checkTrainFolderOptions(options: TrainFolderOptions): void {
  const own = ["text", "heldOut", "heldOutText", "model", "tokenizer", "vocabSize"] as const;
  checkOptionNames(options, [...own, ...modelNames, ...trainingOptionNames, ...runNames]);
  checkTrainingOptions(trainingOptionsOf(options));
  checkNumber("heldOut", options.heldOut, "a share from 0 to below 1", (value) => value >= 0 && value < 1);
  for (const name of [...modelNames, "vocabSize"] as const) checkInteger(name, options[name], 1);
  const { model, tokenizer, vocabSize, heads = 4, channels = 128 } = options;
  for (const name of [...modelNames, "tokenizer", "vocabSize"] as const) {
    if (model !== undefined && options[name] !== undefined)
      throw new OptionError(name, "is for a model that is made; this one is given");
  }
  if (tokenizer !== undefined && vocabSize !== undefined)
    throw new OptionError("vocabSize", "is for a tokenizer that is learned; this one is given");
  if (channels % heads !== 0) throw new OptionError("heads", `${channels} channels cannot be shared by ${heads} heads`);
  if (options.heldOut !== undefined && options.heldOutText !== undefined) {
    throw new OptionError("heldOut", "there are held-out files already");
  }
  checkDevice(options);
}

export function checkResumeOptions(options: ResumeOptions): void {
  checkOptionNames(options, ["text", "heldOutText", ...runNames]);
  checkDevice(options);
}

function checkDevice({ device }: RunOptions): void {
  if (device === ("gpu" as string))
    throw new OptionError("device", "the gpu device does not train; wasm and reference do");
}

/** The library's options among those of a folder. */
export function trainingOptionsOf(options: TrainingOptions): TrainingOptions {
  return Object.fromEntries(
    trainingOptionNames.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
}
