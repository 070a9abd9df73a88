import { readFile } from "node:fs/promises";
import type { GPT2 } from "@gpt2-ts/gpt2";
import { CompressedFormatError, type CompressOptions, compress, decompress } from "@gpt2-ts/gpt2/compress";
import { writeWhole } from "@gpt2-ts/gpt2/node";
import { Command, InvalidArgumentError, Option } from "commander";
import { announceInput, fromFile, inputBytes } from "./input.ts";
import { interruptible } from "./interruption.ts";
import {
  addModelChoice,
  cacheDtypeOption,
  dtypeOption,
  loadFrom,
  type ModelFlags,
  parseInteger,
} from "./model-options.ts";
import { writeOut } from "./output.ts";
import { createProgress } from "./progress.ts";

interface CompressFlags extends Pick<ModelFlags, "model" | "revision" | "dtype" | "cacheDtype" | "threads"> {
  readonly out?: string;
}

/** `gpt2 compress`: a text in a few bits a word. */
export function compressCommand(): Command {
  return addCodingOptions(new Command("compress"), "compress", "the compressed file")
    .description("compress a file, text best, with what the model expects of each word")
    .addHelpText(
      "after",
      "\nTo open the file, gpt2 decompress needs the same model and --dtype, on any machine and with any number of threads." +
        "\nThe more likely the model finds a text, the smaller the file: see gpt2 score. Other bytes than text grow.",
    )
    .action((file: string | undefined, flags: CompressFlags) =>
      interruptible((signal) => code(compress, "compressing", file, flags, signal)),
    );
}

/** `gpt2 decompress`: the text again, to the byte. */
export function decompressCommand(): Command {
  return addCodingOptions(new Command("decompress"), "decompress", "what was compressed")
    .description("open a file that gpt2 compress has written")
    .addHelpText("after", "\nNothing is written unless all of it is what was compressed, to the byte.")
    .action((file: string | undefined, flags: CompressFlags) =>
      interruptible((signal) => code(decompress, "decompressing", file, flags, signal)),
    );
}

function addCodingOptions(command: Command, verb: string, result: string): Command {
  return addModelChoice(command)
    .argument("[file]", `what to ${verb} (default: standard input)`)
    .addOption(dtypeOption())
    .addOption(cacheDtypeOption())
    .addOption(new Option("--threads <count>", "threads that compute").argParser(parseInteger))
    .addOption(
      new Option("-o, --out <file>", `${result}; replaced only once complete (default: standard output)`).argParser(
        (path) => {
          if (path === "") throw new InvalidArgumentError("expected a file");
          return path;
        },
      ),
    );
}

type Coder = (model: GPT2, bytes: Uint8Array, options: CompressOptions) => Promise<Uint8Array>;

async function code(
  coder: Coder,
  label: string,
  file: string | undefined,
  { out, ...flags }: CompressFlags,
  signal: AbortSignal,
): Promise<void> {
  if (coder === compress && out === undefined && process.stdout.isTTY) {
    throw new Error("a compressed file is not for a terminal to show: name one with --out");
  }
  if (file === undefined) announceInput("what to work on");
  const bytes =
    file === undefined ? await inputBytes(signal) : await fromFile(file, readFile(file, { signal }), signal);
  using model = await loadFrom({ ...flags, device: "wasm", deterministic: true }, signal);
  const progress = createProgress("items");
  let started = false;
  try {
    const result = await coder(model, bytes, {
      signal,
      onProgress: ({ done, total }) => {
        if (!started) progress.start(total);
        started = true;
        progress.update(done, label);
      },
    });
    progress.stop();
    if (out === undefined) await writeOut(result);
    else await writeWhole(out, result);
  } catch (error) {
    if (error instanceof CompressedFormatError) {
      throw new CompressedFormatError(`${file ?? "standard input"}: ${error.message}`, { cause: error });
    }
    throw error;
  } finally {
    progress.stop();
  }
}
