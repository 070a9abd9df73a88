import { loadTokenizer, modelSource, type Tokenizer } from "@gpt2-ts/gpt2";
import { Command } from "commander";
import { findModel, type ModelChoice } from "./find-model.ts";
import { inputText } from "./input.ts";
import { interruptible } from "./interruption.ts";
import { addModelChoice } from "./model-options.ts";
import { writeOut } from "./output.ts";

interface TokenizeFlags extends ModelChoice {
  readonly decode?: true;
}

/** `gpt2 tokenize`: text to ids and back. */
export function tokenizeCommand(): Command {
  return addModelChoice(new Command("tokenize"))
    .description("turn the text on standard input into a JSON array of token ids, or back")
    .option("--decode", "ids in, text out")
    .addHelpText(
      "after",
      "\nText is UTF-8 and comes back exactly: nothing is added, and input that is not UTF-8 is an error. <|endoftext|>" +
        "\nin a text is ordinary characters.",
    )
    .action((flags: TokenizeFlags) => interruptible((signal) => tokenize(flags, signal)));
}

async function tokenize({ decode, ...choice }: TokenizeFlags, signal: AbortSignal): Promise<void> {
  const folder = await findModel(choice, signal, ["none"]);
  const tokenizer = await loadTokenizer(await modelSource(folder, signal));
  const input = await inputText(signal);
  await writeOut(decode ? decodeIds(tokenizer, input) : `${JSON.stringify(tokenizer.encode(input))}\n`);
}

function decodeIds(tokenizer: Tokenizer, input: string): Uint8Array {
  let ids: unknown;
  try {
    ids = JSON.parse(input);
  } catch (cause) {
    throw new Error(`standard input is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (!Array.isArray(ids)) throw new Error("standard input: expected a JSON array of token ids");
  for (const [i, id] of (ids as unknown[]).entries()) {
    if (!Number.isSafeInteger(id)) throw new Error(`standard input: item ${i} is not a token id`);
  }
  return tokenizer.decodeBytes(ids as number[]);
}
