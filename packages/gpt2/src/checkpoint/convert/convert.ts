import { readdir, stat, writeFile as writeText } from "node:fs/promises";
import { join, resolve } from "node:path";
import { checkChoice, checkOptionNames, OptionError } from "@gpt2-ts/tensor/options";
import { SafetensorsError, writeFile } from "safetensors-ts";
import { ModelFormatError } from "../../errors.ts";
import { checkInteger } from "../../options.ts";
import { warnOnConsole } from "../../warning.ts";
import { SINGLE_FILE } from "../open-checkpoint.ts";
import { CONVERTED_DTYPES, metadataFor } from "../quantization.ts";
import type { ModelSource } from "../source/index.ts";
import { StoredWeights } from "../stored-weights.ts";
import { newTensors } from "./new-tensors.ts";
import { type ConvertOptions, LAYOUTS } from "./options.ts";
import { openOriginal } from "./original.ts";
import { otherModelFiles, Staging } from "./staging.ts";

const optionNames = ["dtype", "from", "nHead", "file", "overwrite", "onProgress", "onWarning", "signal"] as const;

/**
 * Writes a model to the folder `out` as the Hub lays it out: one `model.safetensors`, and the model's other files. Reads the Hub's
 * safetensors, what `torch.save` has written (`pytorch_model.bin`; nothing in it is ever run), and nanoGPT's checkpoints. With a
 * `dtype` the matrices are kept in fewer bits, and the file's metadata say how (docs/quantization.md). All files are written to a
 * temporary folder and moved when they are complete. A process that is killed leaves the folder as it was, or new, or, if the other
 * files of a model have to be replaced too, for a moment without a checkpoint; the next conversion into it finishes or removes what is
 * left. Node only.
 *
 * @throws OptionError for an unknown dtype or the one that the model has already; if `out` has such files and `overwrite` is not
 *   set; if another conversion into it is running; and if the folder around `out` cannot be written to. ModelFormatError, SafetensorsError; `signal.reason`. `out` is then
 *   unchanged
 */
export async function convertModel(source: ModelSource, out: string, options: ConvertOptions = {}): Promise<void> {
  const { dtype, overwrite = false, onProgress, onWarning = warnOnConsole, signal } = options;
  checkOptionNames(options, optionNames);
  checkChoice("dtype", dtype, CONVERTED_DTYPES);
  checkChoice("from", options.from, LAYOUTS);
  if (options.nHead !== undefined) checkInteger("nHead", options.nHead, 1);
  await using original = await openOriginal(source, options);
  const { texts, config, checkpoint } = original;
  const names = [...texts.keys(), SINGLE_FILE];
  const folder = await checkOut(out, overwrite ? [] : [...names, ...otherModelFiles(names)]);
  const weights = await StoredWeights.of(checkpoint, config, onWarning);
  if (weights.converted !== undefined && (dtype === undefined || dtype === weights.converted)) {
    throw new OptionError("dtype", `${source.name} is ${weights.converted} already`);
  }
  for (const warning of original.warnings) onWarning(warning);

  const staging = await Staging.begin(folder);
  try {
    for (const [name, text] of texts) await writeText(staging.path(name), text);
    const tensors = await newTensors(weights, dtype, { onProgress, signal });
    const metadata = dtype === undefined ? { format: "pt" } : metadataFor(dtype);
    await writeFile(staging.path(SINGLE_FILE), tensors, metadata, { signal });
    await staging.finish(names);
  } catch (error) {
    await staging.discard();
    // What went wrong in PyTorch's file is the cause of what went wrong in the safetensors file that it is read as.
    throw error instanceof SafetensorsError && error.cause instanceof ModelFormatError ? error.cause : error;
  }
}

/**
 * The folder's path. Finishes or removes what a killed conversion left in it. Throws OptionError if it is a file, or has a file with a
 * name in `unwanted`.
 */
async function checkOut(out: string, unwanted: readonly string[]): Promise<string> {
  if (out === "") throw new OptionError("out", "expected the path of a folder");
  const folder = resolve(out);
  const stats = await stat(folder).catch(() => undefined);
  if (stats === undefined) return folder;
  if (!stats.isDirectory()) throw new OptionError("out", `${out} is not a folder`);
  await Staging.recover(folder);
  const there = (await readdir(folder)).find((name) => unwanted.includes(name));
  if (there !== undefined) throw new OptionError("out", `${join(out, there)} exists; overwrite would replace it`);
  return folder;
}
