import { mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Backend } from "@gpt2-ts/tensor";
import { OptionError } from "@gpt2-ts/tensor/options";
import { loadConfig } from "../../checkpoint/load.ts";
import { loadTokenizer } from "../../checkpoint/load-tokenizer.ts";
import { SINGLE_FILE } from "../../checkpoint/open-checkpoint.ts";
import { modelSource } from "../../checkpoint/source/index.ts";
import { ModelFormatError } from "../../errors.ts";
import { GPT2 } from "../../gpt2.ts";
import type { GPT2Config } from "../../model/config.ts";
import { openDevice } from "../../open-device.ts";
import { removeAbandoned, temporaryPath } from "../../process-owner.ts";
import { warnOnConsole } from "../../warning.ts";
import { written } from "../../written.ts";
import { checkTrainingMemory } from "../memory.ts";
import type { ResolvedOptions, TrainingOptions } from "../options.ts";
import type { TrainResult } from "../train.ts";
import { Trainer } from "../trainer.ts";
import { lock } from "./lock.ts";
import { readLog, rewriteLog } from "./log.ts";
import {
  checkResumeOptions,
  checkTrainFolderOptions,
  type ResumeOptions,
  type RunOptions,
  type TrainFolderOptions,
  trainingOptionsOf,
} from "./options.ts";
import { findOrigin, tokenizerHash, tokenizerTexts } from "./origin.ts";
import { runInFolder } from "./run.ts";
import { LOG_FILE, OPTIONS_FILE, openState, replaceTensors, saveState, TRAINING } from "./state.ts";
import { encodeTexts, findTexts } from "./texts.ts";

/** What `training/options.json` says. */
interface SavedTraining {
  readonly version: 1;
  readonly options: ResolvedOptions;
  readonly text: readonly string[];
  /** A share of `text`, or files. */
  readonly heldOut: number | readonly string[];
  /** Of tokens and tokenizer: a training goes on with the same ones only. */
  readonly tokensHash: string;
  readonly tokenizerHash: string;
}

/**
 * Trains a model in a new folder, which is a model like any other from its first moment on, with `training/` beside the weights: the
 * state to go on from, the options, `log.jsonl` and `loss.svg`. `model.safetensors` is the model with the lowest loss on the held-out
 * text so far, or, where nothing is held out, the latest. Files are replaced at once: a process that is killed leaves the last good
 * ones, and {@link resumeTraining} goes on from them. Node only.
 *
 * @param out the folder, which must not exist or be empty
 * @throws OptionError; ModelFormatError for a model that cannot be read; DeviceError for one that is too large to train;
 *   TrainingError when the loss is not finite; SafetensorsError, or an Error that names another file, if the disk is full;
 *   `signal.reason`
 */
export async function trainFolder(out: string, options: TrainFolderOptions): Promise<TrainResult> {
  checkTrainFolderOptions(options);
  const { signal, onProgress, onWarning = warnOnConsole } = options;
  const folder = await checkOut(out);
  const texts = await findTexts(options);
  const origin = await findOrigin(options);
  const training = trainingOptionsOf(options);
  checkMemory(origin.config, training, options.device);
  const prepared = await origin.prepare(texts.files, {
    signal,
    onWarning,
    onMerge: (done, total) => void onProgress?.({ type: "prepare", what: "tokenizer", done, total }, undefined),
  });
  const data = await encodeTexts(texts, prepared.tokenizer, { signal, onBytes: onBytes(options) });
  const { device, release } = await openDevice(options);
  try {
    const model = await prepared.model(device);
    using gpt2 = new GPT2(model, prepared.tokenizer);
    using trainer = new Trainer(model, data, training);
    const saved: SavedTraining = {
      version: 1,
      options: trainer.options,
      text: texts.files.map(({ path }) => path),
      heldOut: texts.heldOutFiles === texts.files ? texts.heldOut : texts.heldOutFiles.map(({ path }) => path),
      tokensHash: data.hash,
      tokenizerHash: tokenizerHash(prepared.texts),
    };
    await create(folder, async (temporary) => {
      await mkdir(join(temporary, TRAINING));
      const options = [join(TRAINING, OPTIONS_FILE), `${JSON.stringify(saved, undefined, 2)}\n`] as const;
      for (const [name, text] of [...prepared.texts, options])
        await written(join(folder, name), writeFile(join(temporary, name), text, { flush: true }));
      await replaceTensors(join(temporary, SINGLE_FILE), trainer.weights());
      await saveState(temporary, trainer);
    });
    await using held = await lock(join(folder, TRAINING, "lock"));
    return await runInFolder({ folder, trainer, gpt2, data, lock: held, records: [] }, options);
  } finally {
    release();
  }
}

/**
 * Throws what {@link trainFolder} would throw for these before it looks at any weights: for who has a model's config, and has yet to
 * download the rest.
 *
 * @throws OptionError; DeviceError for a model that is too large to train
 */
export async function checkTrainFolder(out: string, options: TrainFolderOptions, config: GPT2Config): Promise<void> {
  checkTrainFolderOptions(options);
  await checkOut(out);
  await findTexts(options);
  checkMemory(config, trainingOptionsOf(options), options.device);
}

/**
 * Goes on with a training that was stopped, in any way, from the last state that was saved: with the same bits as if it had not been.
 *
 * @param folder the one that {@link trainFolder} trains in
 * @throws OptionError for other texts than those that it began with; otherwise as {@link trainFolder}
 */
export async function resumeTraining(folder: string, options: ResumeOptions = {}): Promise<TrainResult> {
  checkResumeOptions(options);
  const { signal, onWarning = warnOnConsole } = options;
  const saved = await readSaved(folder);
  const source = await modelSource(folder);
  const heldOut =
    typeof saved.heldOut === "number"
      ? { heldOut: saved.heldOut }
      : { heldOutText: options.heldOutText ?? saved.heldOut };
  if (options.heldOutText && "heldOut" in heldOut)
    throw new OptionError("heldOutText", "a share of the text is held out in this training");
  await using held = await lock(join(folder, TRAINING, "lock"));
  const texts = await findTexts({ text: options.text ?? saved.text, ...heldOut });
  if (tokenizerHash(await tokenizerTexts(source)) !== saved.tokenizerHash) {
    throw new OptionError("resume", `the tokenizer in ${folder} is not the one that the training began with`);
  }
  const tokenizer = await loadTokenizer(source, { onWarning });
  const data = await encodeTexts(texts, tokenizer, { signal, onBytes: onBytes(options) });
  if (data.hash !== saved.tokensHash) {
    throw new OptionError(
      "text",
      "it is not the text that the training began with; a training goes on with the same text only",
    );
  }
  const config = await loadConfig(source);
  checkMemory(config, saved.options, options.device);
  const { device, release } = await openDevice(options);
  try {
    await using state = await openState(folder, config);
    const model = await state.model(device);
    using gpt2 = new GPT2(model, tokenizer);
    using trainer = new Trainer(model, data, saved.options);
    await state.restore(trainer);
    const log = join(folder, TRAINING, LOG_FILE);
    const records = await readLog(log, trainer.position);
    await rewriteLog(log, records);
    return await runInFolder({ folder, trainer, gpt2, data, lock: held, records }, options);
  } finally {
    release();
  }
}

function onBytes({ onProgress }: RunOptions) {
  return (done: number, total: number): void =>
    void onProgress?.({ type: "prepare", what: "tokens", done, total }, undefined);
}

/** The folder's path. Throws an {@link OptionError} if there is something in it. */
async function checkOut(out: string): Promise<string> {
  if (typeof out !== "string" || out === "") throw new OptionError("out", "expected the path of a folder");
  const folder = resolve(out);
  const there: readonly string[] = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return [];
    throw new OptionError("out", `${out} is not a folder that can be used (${cause.code})`);
  });
  if (there.includes(TRAINING))
    throw new OptionError("out", `there is a training in ${out} already: resume it, or choose another folder`);
  if (there.length > 0) throw new OptionError("out", `${out} is not empty; a training begins in a new folder`);
  return folder;
}

/** Makes a folder at once: it is there when `fill` has filled it. */
async function create(folder: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const parent = dirname(folder);
  const failed = (cause: NodeJS.ErrnoException): never => {
    throw new OptionError("out", `no folder can be made in ${parent} (${cause.code})`);
  };
  await mkdir(parent, { recursive: true }).catch(failed);
  await removeAbandoned(folder).catch(failed);
  const temporary = temporaryPath(folder);
  await mkdir(temporary).catch(failed);
  try {
    await fill(temporary);
    await rmdir(folder).catch(() => {}); // an empty one
    await rename(temporary, folder).catch((cause: NodeJS.ErrnoException) => {
      throw new OptionError("out", `${basename(folder)} was made by another program meanwhile (${cause.code})`);
    });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** Throws a {@link DeviceError} for what cannot be trained in a WebAssembly memory, before anything is loaded. */
function checkMemory(config: GPT2Config, options: TrainingOptions, device: string | Backend = "wasm"): void {
  if ((typeof device === "string" ? device : device.name) === "wasm") checkTrainingMemory(config, options);
}

async function readSaved(folder: string): Promise<SavedTraining> {
  if (typeof folder !== "string" || folder === "") throw new OptionError("resume", "expected the path of a folder");
  const path = join(folder, TRAINING, OPTIONS_FILE);
  const text = await readFile(path, "utf8").catch(async (cause: NodeJS.ErrnoException) => {
    const isThere = await stat(folder).then(
      () => true,
      () => false,
    );
    const problem = isThere
      ? `there is no training in this folder to go on with (${cause.code})`
      : "there is no such folder";
    throw new ModelFormatError(folder, problem, undefined, { cause });
  });
  try {
    const saved = JSON.parse(text) as SavedTraining;
    if (saved.version === 1) return saved;
  } catch {
    // said below
  }
  throw new ModelFormatError(path, "these are not the options of a training that this version can go on with");
}
