import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, writeFile as writeText } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { checkChoice, checkOptionNames, OptionError } from "@gpt2-ts/tensor/options";
import { SafetensorsError, writeFile } from "safetensors-ts";
import { ModelFormatError } from "../../errors.ts";
import { checkInteger } from "../../options.ts";
import { warnOnConsole } from "../../warning.ts";
import { CONVERTED_DTYPES, metadataFor } from "../quantization.ts";
import type { ModelSource } from "../source/index.ts";
import { StoredWeights } from "../stored-weights.ts";
import { newTensors } from "./new-tensors.ts";
import { type ConvertOptions, LAYOUTS } from "./options.ts";
import { openOriginal } from "./original.ts";

const optionNames = ["dtype", "from", "nHead", "file", "overwrite", "onProgress", "onWarning", "signal"] as const;

const CHECKPOINT = "model.safetensors";

/**
 * Writes a model to the folder `out` as the Hub lays it out: one `model.safetensors`, and the model's other files. Reads the Hub's
 * safetensors, what `torch.save` has written (`pytorch_model.bin`; nothing in it is ever run), and nanoGPT's checkpoints. With a
 * `dtype` the matrices are kept in fewer bits, and the file's metadata say how (docs/quantization.md). All files are written to a
 * temporary folder and moved when they are complete. Node only.
 *
 * @throws OptionError for an unknown dtype or the one that the model has already; if `out` has such files and `overwrite` is not
 *   set; and if the folder around `out` cannot be written to. ModelFormatError, SafetensorsError; `signal.reason`. `out` is then
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
  const names = [...texts.keys(), CHECKPOINT];
  const exists = await checkOut(out, overwrite ? [] : names);
  const weights = await StoredWeights.of(checkpoint, config, onWarning);
  if (weights.converted !== undefined && (dtype === undefined || dtype === weights.converted)) {
    throw new OptionError("dtype", `${source.name} is ${weights.converted} already`);
  }
  for (const warning of original.warnings) onWarning(warning);

  const folder = resolve(out);
  // Inside `out` if it exists: it may be on another disk than the folder around it, and files can be moved only within a disk.
  const place = exists ? folder : dirname(folder);
  const staging = join(place, `.${basename(folder)}.${randomUUID()}.tmp`);
  await mkdir(staging).catch((cause: NodeJS.ErrnoException) => {
    throw new OptionError("out", `no folder can be made in ${place} (${cause.code})`);
  });
  try {
    for (const [name, text] of texts) await writeText(join(staging, name), text);
    const tensors = await newTensors(weights, dtype, { onProgress, signal });
    const metadata = dtype === undefined ? { format: "pt" } : metadataFor(dtype);
    await writeFile(join(staging, CHECKPOINT), tensors, metadata, { signal });
    // A new folder appears at once; in one that exists each file is replaced at once, the checkpoint last.
    if (!exists) await rename(staging, folder);
    else for (const name of names) await rename(join(staging, name), join(folder, name));
  } catch (error) {
    // What went wrong in PyTorch's file is the cause of what went wrong in the safetensors file that it is read as.
    throw error instanceof SafetensorsError && error.cause instanceof ModelFormatError ? error.cause : error;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Whether the folder exists. Throws OptionError if it is a file, or has a file with a name in `unwanted`. */
async function checkOut(folder: string, unwanted: readonly string[]): Promise<boolean> {
  if (folder === "") throw new OptionError("out", "expected the path of a folder");
  const stats = await stat(folder).catch(() => undefined);
  if (stats === undefined) return false;
  if (!stats.isDirectory()) throw new OptionError("out", `${folder} is not a folder`);
  const there = (await readdir(folder)).find((name) => unwanted.includes(name));
  if (there !== undefined) throw new OptionError("out", `${join(folder, there)} exists; overwrite would replace it`);
  return true;
}
