import { createRequire } from "node:module";
import { compressCommand, decompressCommand } from "./compress.ts";
import { convertCommand } from "./convert.ts";
import { downloadCommand } from "./download.ts";
import { generateCommand } from "./generate.ts";
import { infoCommand } from "./info.ts";
import { logitsCommand } from "./logits.ts";
import { lookCommand } from "./look/command.ts";
import { runProgram } from "./program.ts";
import { interactiveCommand } from "./run/command.ts";
import { scoreCommand } from "./score/command.ts";
import { serveCommand } from "./serve.ts";
import { tokenizeCommand } from "./tokenize.ts";
import { trainCommand } from "./train/command.ts";

/** Runs `gpt2` with these arguments; resolves to the exit status. */
export function runCommand(args: readonly string[]): Promise<number> {
  const program = {
    name: "gpt2",
    description: "GPT-2 in pure TypeScript: generate, score, and look inside",
    version: (createRequire(import.meta.url)("../package.json") as { version: string }).version,
    commands: [
      generateCommand(),
      interactiveCommand(),
      scoreCommand(),
      lookCommand(),
      logitsCommand(),
      tokenizeCommand(),
      serveCommand(),
      trainCommand(),
      infoCommand(),
      convertCommand(),
      compressCommand(),
      decompressCommand(),
      downloadCommand(),
    ],
    unknownCommandHint: "; to continue a text of one word: gpt2 generate --prompt WORD",
    examples: [
      'gpt2 "Once upon a time"                  continues a text: short for generate --prompt',
      "gpt2 run                                 does so line by line, at a terminal",
      "gpt2 generate -m gpt2 -p 'Once' -n 50    with a model of the Hugging Face Hub, 50 tokens",
    ],
  };
  return runProgram(program, isText(args[0]) ? ["generate", "--prompt", ...args] : args);
}

/** Whether the first argument is a text to continue. One word could be a command, mistyped. */
function isText(argument = ""): boolean {
  return !argument.startsWith("-") && /[^\w-]/.test(argument);
}
