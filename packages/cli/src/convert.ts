import { CONVERTED_DTYPES, type ConvertedDtype, modelSource } from "@gpt2-ts/gpt2";
import { convertModel } from "@gpt2-ts/gpt2/node";
import { Command, InvalidArgumentError, Option } from "commander";
import { findModel } from "./find-model.ts";
import { interruptible } from "./interruption.ts";
import { modelOption } from "./model-options.ts";
import { writeOut } from "./output.ts";
import { createProgress } from "./progress.ts";

interface ConvertFlags {
  readonly model?: string;
  readonly dtype: ConvertedDtype;
  readonly out: string;
  readonly overwrite?: true;
}

/** `gpt2 convert`: a model kept in fewer bits, in a folder of its own. */
export function convertCommand(): Command {
  return new Command("convert")
    .description("write a model with its weights in fewer bits to a folder, and print the folder")
    .addOption(modelOption())
    .addOption(
      new Option("--dtype <dtype>", `how the matrices are kept: ${CONVERTED_DTYPES.join(" or ")}`)
        .argParser(parseDtype)
        .makeOptionMandatory(),
    )
    .requiredOption("--out <folder>", "the folder; files in it appear only once all are complete")
    .option("--overwrite", "replace files that are in the folder already")
    .addHelpText(
      "after",
      "\nThe folder is a model like any other: --model reads it, and keeps the weights as they are unless --dtype says" +
        "\notherwise.",
    )
    .action((flags: ConvertFlags) => interruptible((signal) => convert(flags, signal)));
}

async function convert({ model, dtype, out, overwrite }: ConvertFlags, signal: AbortSignal): Promise<void> {
  const source = await modelSource(await findModel(model, signal), signal);
  const progress = createProgress("bytes");
  let started = false;
  try {
    await convertModel(source, out, {
      dtype,
      overwrite,
      signal,
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

function parseDtype(text: string): ConvertedDtype {
  const dtype = CONVERTED_DTYPES.find((known) => known === text);
  if (dtype === undefined) throw new InvalidArgumentError(`expected ${CONVERTED_DTYPES.join(" or ")}`);
  return dtype;
}
