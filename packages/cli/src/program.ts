import { Command, CommanderError } from "commander";
import { Interruption } from "./interruption.ts";
import { OutputClosedError, writeNote, writeOut } from "./output.ts";
import { oneLine } from "./report.ts";

/** What a shell reports for a command that wrote to a closed pipe: 128 + SIGPIPE. */
const EXIT_OUTPUT_CLOSED = 141;

/** A command line of several commands. */
export interface Program {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly commands: readonly Command[];
  /** What is added to the complaint about a command that is not there and is like none that is. */
  readonly unknownCommandHint?: string;
  /** Lines at the end of the help. */
  readonly examples?: readonly string[];
}

/**
 * Runs a program with these arguments. An error becomes one line on standard error (with `DEBUG` set to the
 * program's name the stack too).
 *
 * @returns the exit status: 0 only if everything worked
 */
export async function runProgram(
  { name, description, version, commands, unknownCommandHint = "", examples = [] }: Program,
  args: readonly string[],
): Promise<number> {
  let output = ""; // of --help and --version
  const program = new Command(name)
    .description(description)
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        output += text;
      },
      writeErr: writeNote,
      outputError: (text, write) => {
        const line = oneLine(text).replace(/^error: /, "");
        const hint = /^unknown command '.*'$/.test(line) ? unknownCommandHint : ""; // with "Did you mean" it ends otherwise
        write(`${name}: ${line}${hint}\n`);
      },
    });
  if (examples.length > 0)
    program.addHelpText("after", `\nExamples:\n${examples.map((line) => `  ${line}`).join("\n")}`);
  for (const command of commands) program.addCommand(command.copyInheritedSettings(program));
  if (args.length === 0) {
    program.outputHelp({ error: true });
    return 1;
  }
  try {
    try {
      await program.parseAsync(args, { from: "user" });
    } finally {
      if (output !== "") await writeOut(output);
    }
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode; // commander has printed it
    if (error instanceof Interruption) return error.exitStatus;
    if (error instanceof OutputClosedError) return EXIT_OUTPUT_CLOSED;
    writeNote(`${name}: ${oneLine(error)}\n`);
    if (process.env["DEBUG"] === name && error instanceof Error) writeNote(`${error.stack}\n`);
    return 1;
  }
}
