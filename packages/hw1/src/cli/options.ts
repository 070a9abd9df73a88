import { OptionError } from "@gpt2-ts/gpt2";
import { type Command, Option } from "commander";
import { addModelOptions, type ModelFlags, parseInteger } from "gpt2-ts";
import { HORIZON2_TOP_K, type Horizon2TopK } from "../temperature.ts";

/** The course's. */
export const DEFAULT_SEED = 20190929;
const DEFAULT_LENGTH = 512;
const DEFAULT_OUT = "hw1-out";

/** The options of every command that runs a task on a model. */
export interface TaskFlags extends ModelFlags {
  readonly data?: string;
  readonly out: string;
  readonly seed: number;
  readonly length: number;
  readonly courseFiles?: true;
  readonly horizon2TopK?: Horizon2TopK;
}

/** Adds `--data`, `--out`, `--seed`, `--length` and the options of a model. */
export function addTaskOptions(command: Command): Command {
  return addModelOptions(command)
    .option("--data <folder>", "the course's files (default: texts that come with the package)")
    .option("--out <folder>", "where files are written", DEFAULT_OUT)
    .option("--seed <integer>", "of the draws, and of the default texts", parseInteger, DEFAULT_SEED)
    .option(
      "--length <count>",
      "tokens of a sample, if the context has room for so many",
      parseInteger,
      DEFAULT_LENGTH,
    );
}

/** `--course-files`. */
export const courseFilesOption = (): Option =>
  new Option(
    "--course-files",
    "write what the course's starter code writes, too: pickles, PNG files, a short sample of 6.7b",
  );

/** `--horizon2-top-k`. */
export const horizon2TopKOption = (): Option =>
  new Option(
    "--horizon2-top-k <of>",
    'what top-k does in 6.7b: choose the "pairs" that are summed over, or cut the "second" token\'s distribution too',
  ).choices(HORIZON2_TOP_K);

/** Samples have seeds of their own, counted from the run's. */
const LARGEST_SEED = Number.MAX_SAFE_INTEGER - 1000;

/** Throws an OptionError for an invalid seed. */
export function checkSeed(seed: number): void {
  if (Number.isSafeInteger(seed) && seed >= 0 && seed <= LARGEST_SEED) return;
  throw new OptionError("seed", `expected an integer from 0 to ${LARGEST_SEED}, got ${seed}`);
}

/** Throws an OptionError for numbers out of range, before the model is loaded. */
export function checkTaskFlags({ seed, length }: TaskFlags): void {
  checkSeed(seed);
  if (Number.isSafeInteger(length) && length >= 1) return;
  throw new OptionError("length", `expected an integer from 1, got ${length}`);
}
