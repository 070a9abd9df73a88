import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { CONVERTED_DTYPES, type ConvertedDtype, modelSource } from "@gpt2-ts/gpt2";
import { convertModel } from "@gpt2-ts/gpt2/node";
import { Command, InvalidArgumentError, Option } from "commander";
import { findModel, type ModelChoice } from "./find-model.ts";
import { interruptible } from "./interruption.ts";
import { modelOption, parseInteger, revisionOption } from "./model-options.ts";
import { writeOut } from "./output.ts";
import { createProgress } from "./progress.ts";

interface ConvertFlags extends ModelChoice {
  readonly dtype?: ConvertedDtype;
  readonly from: "hub" | "nanogpt";
  readonly nHead?: number;
  readonly out: string;
  readonly overwrite?: true;
}

/** `gpt2 convert`: a model in the Hub's layout, perhaps in fewer bits, in a folder of its own. */
export function convertCommand(): Command {
  return new Command("convert")
    .description("write a model to a folder as safetensors, in fewer bits if asked to, and print the folder")
    .addOption(
      modelOption(
        "folder|file|name",
        "a model folder, a checkpoint of PyTorch in one, or a model of the Hugging Face Hub (default: the shipped one)",
      ),
    )
    .addOption(revisionOption())
    .addOption(
      new Option(
        "--dtype <dtype>",
        `how the matrices are kept: ${CONVERTED_DTYPES.join(" or ")} (default: as they are)`,
      ).argParser(parseDtype),
    )
    .addOption(
      new Option("--from <layout>", "whose layout the checkpoint has").choices(["hub", "nanogpt"]).default("hub"),
    )
    .addOption(
      new Option("--n-head <count>", "attention heads of a nanoGPT checkpoint that does not tell them").argParser(
        parseInteger,
      ),
    )
    .requiredOption("--out <folder>", "the folder; files in it appear only once all are complete")
    .option("--overwrite", "replace files that are in the folder already")
    .addHelpText(
      "after",
      "\nReads safetensors and what torch.save writes (pytorch_model.bin, .pt, .pth; nothing in them is ever run)." +
        "\nThe folder is a model like any other: --model reads it, and keeps the weights as they are unless --dtype says" +
        "\notherwise.",
    )
    .action((flags: ConvertFlags) => interruptible((signal) => convert(flags, signal)));
}

async function convert({ model, revision, out, ...options }: ConvertFlags, signal: AbortSignal): Promise<void> {
  const { folder, file } = await findOriginal({ model, revision } as ModelChoice, signal);
  const source = await modelSource(folder, signal);
  const progress = createProgress("bytes");
  let started = false;
  try {
    await convertModel(source, out, {
      ...options,
      file,
      signal,
      onWarning: (warning) => progress.note(`gpt2: ${warning}`),
      onProgress: ({ done, total }) => {
        if (!started) progress.start(total);
        started = true;
        progress.update(done, "converting");
      },
    });
  } finally {
    progress.stop();
  }
  await writeOut(`${out}\n`);
}

/** The folder of the model, and the file in it that was named. */
async function findOriginal(choice: ModelChoice, signal: AbortSignal): Promise<{ folder: string; file?: string }> {
  const { model, revision } = choice;
  const isFile = model !== undefined && ((await stat(model).catch(() => undefined))?.isFile() ?? false);
  if (isFile && revision === undefined) return { folder: dirname(model), file: basename(model) };
  return { folder: await findModel(choice, signal, { weights: ["safetensors", "pytorch"] }) };
}

function parseDtype(text: string): ConvertedDtype {
  const dtype = CONVERTED_DTYPES.find((known) => known === text);
  if (dtype === undefined) throw new InvalidArgumentError(`expected ${CONVERTED_DTYPES.join(" or ")}`);
  return dtype;
}
