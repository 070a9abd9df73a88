import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import { downloadCommand } from "./download.ts";
import { generateCommand } from "./generate.ts";
import { infoCommand } from "./info.ts";
import { Interruption } from "./interruption.ts";
import { logitsCommand } from "./logits.ts";
import { OutputClosedError } from "./output.ts";
import { oneLine } from "./report.ts";
import { scoreCommand } from "./score.ts";
import { tokenizeCommand } from "./tokenize.ts";

/** What a shell reports for a command that wrote to a closed pipe: 128 + SIGPIPE. */
const EXIT_OUTPUT_CLOSED = 141;

/**
 * Runs `gpt2` with these arguments. What goes wrong becomes one line on standard error (with `DEBUG=gpt2` the stack too).
 *
 * @returns the exit status: 0 only when all of it worked
 */
export async function runCommand(args: readonly string[]): Promise<number> {
  const program = new Command("gpt2")
    .description("GPT-2 in pure TypeScript: generate, score, and look inside")
    .version((createRequire(import.meta.url)("../../package.json") as { version: string }).version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`gpt2: ${oneLine(text).replace(/^error: /, "")}\n`) });
  const commands = [
    generateCommand(),
    scoreCommand(),
    logitsCommand(),
    tokenizeCommand(),
    infoCommand(),
    downloadCommand(),
  ];
  for (const command of commands) program.addCommand(command.copyInheritedSettings(program));
  if (args.length === 0) {
    program.outputHelp({ error: true });
    return 1;
  }
  try {
    await program.parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode; // it has told already
    if (error instanceof Interruption) return error.exitStatus;
    if (error instanceof OutputClosedError) return EXIT_OUTPUT_CLOSED;
    process.stderr.write(`gpt2: ${oneLine(error)}\n`);
    if (process.env["DEBUG"] === "gpt2" && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return 1;
  }
}
