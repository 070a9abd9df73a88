import { checkInteger, type GPT2, type GPT2Config, OptionError } from "@gpt2-ts/gpt2";
import type { FolderProgress, RunOptions } from "@gpt2-ts/gpt2/node";
import { printable } from "@gpt2-ts/tensor/options";
import { Command } from "commander";
import { findModel } from "../find-model.ts";
import { Interruption, interruptible } from "../interruption.ts";
import { printWarning } from "../model-options.ts";
import { writeNote, writeOut } from "../output.ts";
import { oneLine } from "../report.ts";
import { TrainingDisplay } from "./display.ts";
import { addTrainOptions, resumeOptionsFrom, type TrainFlags, trainOptionsFrom } from "./flags.ts";

/** `gpt2 train`: a model from text, or a model that learns more. */
export function trainCommand(): Command {
  return addTrainOptions(new Command("train"))
    .description("train a model on text, from scratch or from a model that there is, and print its folder")
    .addHelpText(
      "after",
      "\nThe folder is a model like any other from its first moment on: --model reads it. model.safetensors is the model with" +
        "\nthe lowest loss on the held-out text so far (the latest, with --held-out 0); training/ has what --resume goes on from," +
        "\nlog.jsonl and loss.svg. Ctrl-C saves; a training that was killed goes on from where it was saved last, with the same" +
        "\nbits as if it had not been." +
        "\n\nExamples:" +
        "\n  gpt2 train --text plays.txt --steps 4500 --lr 2e-3 --out out/plays" +
        "\n  gpt2 train --model gpt2 --text my.txt --lr 3e-5 --out out/mine" +
        "\n  gpt2 train --resume out/mine",
    )
    .action((flags: TrainFlags) => interruptible((signal) => train(flags, signal)));
}

async function train(flags: TrainFlags, signal: AbortSignal): Promise<void> {
  const { resume, sampleEvery } = flags;
  checkInteger("sampleEvery", sampleEvery, 1);
  checkInteger("sampleTokens", flags.sampleTokens, 1);
  for (const name of ["samplePrompt", "sampleTokens"] as const) {
    if (flags[name] !== undefined && sampleEvery === undefined)
      throw new OptionError(name, "has no meaning without --sample-every");
  }
  const { checkTrainFolder, resumeTraining, trainFolder } = await import("@gpt2-ts/gpt2/node");
  const { TrainingError } = await import("@gpt2-ts/gpt2/train");
  const display = new TrainingDisplay();
  let saved: number | undefined;
  const run: RunOptions = {
    signal,
    onWarning: printWarning,
    onProgress: async (progress, gpt2) => {
      if (progress.type === "begin" || progress.type === "saved") saved = progress.step;
      display.show(progress);
      if (gpt2 && progress.type === "step") await sample(progress, gpt2, flags, display, signal);
    },
  };
  const folder = resume ?? flags.out!;
  try {
    if (resume !== undefined) await resumeTraining(resume, { ...resumeOptionsFrom(flags), ...run });
    else {
      const { out, options } = trainOptionsFrom(flags);
      const { model, revision } = flags;
      const choice = { model: model!, ...(revision !== undefined && { revision }) };
      const accept = (config: GPT2Config): Promise<void> =>
        checkTrainFolder(out, { ...options, model: choice.model }, config);
      const found = model === undefined ? {} : { model: await findModel(choice, signal, { accept }) };
      await trainFolder(out, { ...options, ...found, ...run });
    }
  } catch (error) {
    display.stop();
    if (saved === undefined) throw error; // before there was anything to save
    const onward =
      error instanceof TrainingError
        ? `going on would end here again; begin anew, or with what was learned: gpt2 train --model ${folder}`
        : `step ${saved} is saved; go on with: gpt2 train --resume ${folder}`;
    if (!(error instanceof Interruption)) throw new Error(`${oneLine(error)}; ${onward}`, { cause: error });
    writeNote(`gpt2: ${onward}\n`);
    throw error;
  }
  display.stop();
  await writeOut(`${folder}\n`);
}

const SAMPLE_TOKENS = 100;

/** Writes what the model as it is makes of the prompt, every so many steps. */
async function sample(
  { step }: Extract<FolderProgress, { readonly type: "step" }>,
  gpt2: GPT2,
  { sampleEvery, samplePrompt = "", sampleTokens = SAMPLE_TOKENS }: TrainFlags,
  display: TrainingDisplay,
  signal: AbortSignal,
): Promise<void> {
  if (sampleEvery === undefined || step % sampleEvery !== 0) return;
  const { text } = await gpt2.generate(samplePrompt, { maxTokens: sampleTokens, seed: step, temperature: 0.8, signal });
  const lines = `${samplePrompt}${text}`.split("\n").map(printable); // a model in the making writes anything, at a terminal too
  display.note(`--- a text after step ${step}:\n${lines.join("\n")}\n---`);
}
