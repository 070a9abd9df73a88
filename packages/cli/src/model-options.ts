import { DTYPES, type EncodeOptions, GPT2, type LoadOptions } from "@gpt2-ts/gpt2";
import type { MatrixEncoding } from "@gpt2-ts/tensor";
import type { GpuMode } from "@gpt2-ts/tensor/gpu";
import { type Command, InvalidArgumentError, Option } from "commander";
import { findModel, MODEL_VARIABLE, type ModelChoice } from "./find-model.ts";
import { writeNote } from "./output.ts";
import { createProgress } from "./progress.ts";

/** The options of every command that runs a model. */
export interface ModelFlags extends ModelChoice {
  readonly device: (typeof DEVICES)[number];
  readonly dtype?: MatrixEncoding;
  readonly cacheDtype?: MatrixEncoding;
  readonly threads?: number;
  readonly deterministic?: true;
  readonly gpuMode?: GpuMode | "auto";
}

const DEVICES = ["wasm", "gpu", "reference"] as const;

/** Adds `--model` and `--revision`. */
export function addModelChoice(command: Command): Command {
  return command
    .addOption(
      modelOption(
        "folder|name",
        'a model folder, or a model of the Hugging Face Hub: "gpt2", "org/name@revision" (default: the shipped one)',
      ),
    )
    .addOption(revisionOption());
}

/** `-m, --model`, which the environment may give too; a variable that is empty gives nothing. */
export function modelOption(value: string, help: string): Option {
  const option = new Option(`-m, --model <${value}>`, help);
  return process.env[MODEL_VARIABLE] === "" ? option : option.env(MODEL_VARIABLE);
}

export const revisionOption = (): Option =>
  new Option("--revision <revision>", "a branch, a tag or a commit of a model of the Hub (default: main)");

export const dtypeOption = (): Option =>
  new Option(
    "--dtype <dtype>",
    `how weights are kept: ${DTYPES.join(", ")} (default: what the model was converted to, or else f32)`,
  ).argParser(parseDtype);

export const cacheDtypeOption = (): Option =>
  new Option(
    "--cache-dtype <dtype>",
    `how keys and values are kept, in the KV cache and in every pass: ${DTYPES.join(", ")} (default: bf16 with --dtype int8, or else f32)`,
  ).argParser(parseDtype);

export const gpuModeOption = (): Option =>
  new Option("--gpu-mode <mode>", "mode of the gpu device: auto, webgpu, headlessgl, webasm or cpu (default: auto)");

export const specialTokensOption = (where: string): Option =>
  new Option("--special-tokens", `read special tokens such as <|endoftext|> in ${where} as tokens, not as characters`);

/** What {@link specialTokensOption} means to the tokenizer. */
export function encodeOptions(specialTokens: boolean | undefined): EncodeOptions {
  return { allowedSpecial: specialTokens ? "all" : "none" };
}

/** Adds `--model`, `--revision`, `--device`, `--dtype`, `--cache-dtype`, `--threads`, `--deterministic` and `--gpu-mode`. */
export function addModelOptions(command: Command): Command {
  return addModelChoice(command)
    .addOption(
      new Option("--device <device>", "what computes: wasm, gpu or reference").default("wasm").argParser(parseDevice),
    )
    .addOption(dtypeOption())
    .addOption(cacheDtypeOption())
    .addOption(new Option("--threads <count>", "threads of the wasm device").argParser(parseInteger))
    .option("--deterministic", "the same bits on every engine (wasm without relaxed SIMD)")
    .addOption(gpuModeOption());
}

/** Tells the user something about a model's files that is no error. */
export function printWarning(warning: string): void {
  writeNote(`gpt2: ${warning}\n`);
}

/** Loads the model that the flags name. On a terminal a bar shows the progress, if it takes longer than a moment. */
export async function loadFrom(
  flags: ModelFlags & Pick<LoadOptions, "useGenerationConfig">,
  signal: AbortSignal,
): Promise<GPT2> {
  const folder = await findModel(flags, signal);
  const progress = createProgress("bytes");
  const began = performance.now();
  let started = false;
  const warnings: string[] = []; // printed below the progress bar
  try {
    const model = await GPT2.load(folder, {
      device: flags.device,
      threads: flags.threads,
      deterministic: flags.deterministic,
      gpuMode: flags.gpuMode,
      dtype: flags.dtype,
      cacheDtype: flags.cacheDtype,
      useGenerationConfig: flags.useGenerationConfig,
      signal,
      onWarning: (warning) => warnings.push(warning),
      onProgress: ({ loaded, total }) => {
        if (!process.stderr.isTTY || (!started && performance.now() - began < QUIET_MS)) return;
        if (!started) progress.start(total * BYTES_PER_PARAMETER);
        started = true;
        progress.update(loaded * BYTES_PER_PARAMETER, "loading");
      },
    });
    progress.stop();
    warnings.forEach(printWarning);
    const { notice } = model.device;
    if (notice !== undefined) writeNote(`gpt2: ${notice}; "gpt2 info" says more\n`);
    return model;
  } finally {
    progress.stop();
  }
}

/** Other names of dtypes. */
const ALIASES: Readonly<Record<string, MatrixEncoding>> = { float32: "f32" };

const QUIET_MS = 1000;
const BYTES_PER_PARAMETER = 4;

export function parseInteger(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError("expected an integer");
  return Number(text);
}

export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("expected a number");
  return value;
}

function parseDevice(text: string): ModelFlags["device"] {
  const device = DEVICES.find((known) => known === text);
  if (device === undefined) throw new InvalidArgumentError(`there are ${DEVICES.join(", ")}`);
  return device;
}

function parseDtype(text: string): MatrixEncoding {
  const name = ALIASES[text] ?? text;
  const dtype = DTYPES.find((known) => known === name);
  if (dtype === undefined) throw new InvalidArgumentError(`there are ${DTYPES.join(", ")}`);
  return dtype;
}
