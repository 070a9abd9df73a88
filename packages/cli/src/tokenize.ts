import { loadTokenizer, modelSource, OptionError, StreamEncoder, type Tokenizer } from "@gpt2-ts/gpt2";
import { Command } from "commander";
import { findModel, type ModelChoice } from "./find-model.ts";
import { IdListReader } from "./id-list.ts";
import { announceInput, inputPieces } from "./input.ts";
import { interruptible } from "./interruption.ts";
import { addModelChoice, encodeOptions, printWarning, specialTokensOption } from "./model-options.ts";
import { writeOut } from "./output.ts";

interface TokenizeFlags extends ModelChoice {
  readonly decode?: true;
  readonly specialTokens?: true;
}

/** `gpt2 tokenize`: text to ids and back. */
export function tokenizeCommand(): Command {
  return addModelChoice(new Command("tokenize"))
    .description("turn the text on standard input into a JSON array of token ids, or back")
    .addOption(specialTokensOption("the text"))
    .option("--decode", "ids in, text out")
    .addHelpText(
      "after",
      "\nText is UTF-8 and comes back exactly: nothing is added, and input that is not UTF-8 is an error. <|endoftext|>" +
        "\nin a text is ordinary characters, unless --special-tokens is given. Input and output are streams: they may be of" +
        "\nany length.",
    )
    .action((flags: TokenizeFlags) => interruptible((signal) => tokenize(flags, signal)));
}

async function tokenize({ decode, specialTokens, ...choice }: TokenizeFlags, signal: AbortSignal): Promise<void> {
  if (decode && specialTokens) throw new OptionError("specialTokens", "has no meaning together with --decode");
  const folder = await findModel(choice, signal, { weights: ["none"] });
  const tokenizer = await loadTokenizer(await modelSource(folder, signal), { onWarning: printWarning });
  announceInput(decode ? "token ids" : "the text");
  if (decode) await writeText(tokenizer, signal);
  else await writeIds(new StreamEncoder(tokenizer, encodeOptions(specialTokens)), signal);
}

async function writeIds(encoder: StreamEncoder, signal: AbortSignal): Promise<void> {
  let separator = "[";
  const write = async (ids: readonly number[]): Promise<void> => {
    if (ids.length === 0) return;
    await writeOut(separator + ids.join(","));
    separator = ",";
  };
  for await (const piece of inputPieces(signal)) await write(encoder.push(piece));
  await write(encoder.flush());
  await writeOut(separator === "[" ? "[]\n" : "]\n");
}

async function writeText(tokenizer: Tokenizer, signal: AbortSignal): Promise<void> {
  const reader = new IdListReader();
  const known = new Set<number>();
  let unknown: number | undefined;
  for await (const piece of inputPieces(signal)) {
    const ids = reader.push(piece);
    for (const id of ids) {
      if (known.has(id)) continue;
      known.add(id);
      if (tokenizer.decodeBytes([id]).length === 0) unknown ??= id;
    }
    await writeOut(tokenizer.decodeBytes(ids));
  }
  reader.end();
  if (unknown !== undefined) {
    printWarning(`the tokenizer has no token for some of the ids, such as ${unknown}: they were left out`);
  }
}
