import { removeAbandoned, temporaryPath } from "@gpt2-ts/gpt2/node";
import { Command, InvalidArgumentError } from "commander";
import { writeFile } from "safetensors-ts";
import { interruptible } from "./interruption.ts";
import { addModelOptions, encodeOptions, loadFrom, type ModelFlags, specialTokensOption } from "./model-options.ts";

interface LogitsFlags extends ModelFlags {
  readonly ids?: number[];
  readonly text?: string;
  readonly specialTokens?: true;
  readonly out: string;
}

/** `gpt2 logits`: the logits of a text, as a safetensors file. */
export function logitsCommand(): Command {
  return addModelOptions(new Command("logits"))
    .description("write the logits of a text to a safetensors file: ids I32 [T], logits F32 [T, vocabulary]")
    .option("--ids <list>", "token ids, separated by commas", parseIds)
    .option("--text <text>", "a text")
    .addOption(specialTokensOption("the text"))
    .requiredOption("--out <file>", "the file; replaced only once the new one is complete")
    .action((flags: LogitsFlags) => interruptible((signal) => writeLogits(flags, signal)));
}

async function writeLogits(flags: LogitsFlags, signal: AbortSignal): Promise<void> {
  if ((flags.ids === undefined) === (flags.text === undefined)) throw new Error("expected either --ids or --text");
  using model = await loadFrom(flags, signal);
  const ids = flags.ids ?? model.tokenizer.encode(flags.text!, encodeOptions(flags.specialTokens));
  if (ids.length === 0) throw new Error("--text: an empty text has no logits");
  using logits = model.logits(ids);
  const { vocabSize } = model.config;
  await removeAbandoned(flags.out).catch(() => {}); // why the folder cannot be read, writing tells
  await writeFile(
    flags.out,
    {
      ids: { dtype: "I32", shape: [ids.length], data: Int32Array.from(ids) },
      logits: { dtype: "F32", shape: [ids.length, vocabSize], data: await logits.data() },
    },
    undefined,
    { signal, temporary: temporaryPath(flags.out) },
  );
}

function parseIds(text: string): number[] {
  return text.split(",").map((part) => {
    if (!/^\s*\d+\s*$/.test(part)) throw new InvalidArgumentError("expected token ids separated by commas");
    return Number(part);
  });
}
