import { createRequire } from "node:module";
import { convertCommand } from "./convert.ts";
import { downloadCommand } from "./download.ts";
import { generateCommand } from "./generate.ts";
import { infoCommand } from "./info.ts";
import { logitsCommand } from "./logits.ts";
import { runProgram } from "./program.ts";
import { scoreCommand } from "./score.ts";
import { tokenizeCommand } from "./tokenize.ts";

/** Runs `gpt2` with these arguments; resolves to the exit status. */
export function runCommand(args: readonly string[]): Promise<number> {
  const program = {
    name: "gpt2",
    description: "GPT-2 in pure TypeScript: generate, score, and look inside",
    version: (createRequire(import.meta.url)("../package.json") as { version: string }).version,
    commands: [
      generateCommand(),
      scoreCommand(),
      logitsCommand(),
      tokenizeCommand(),
      infoCommand(),
      convertCommand(),
      downloadCommand(),
    ],
  };
  return runProgram(program, args);
}
