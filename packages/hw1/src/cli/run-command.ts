import { createRequire } from "node:module";
import { runProgram } from "gpt2-ts";
import { taskCommands } from "./tasks.ts";
import { writtenCommand } from "./written.ts";

/** Runs `hw1` with these arguments; resolves to the exit status. */
export function runCommand(args: readonly string[]): Promise<number> {
  const program = {
    name: "hw1",
    description: "A problem set on GPT-2: sampling, likelihood, classification, temperature, and the written problems",
    version: (createRequire(import.meta.url)("../../package.json") as { version: string }).version,
    commands: [...taskCommands(), writtenCommand()],
  };
  return runProgram(program, args);
}
