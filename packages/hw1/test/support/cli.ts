import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const BUILT = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const COMMAND = fileURLToPath(new URL("../../bin/hw1.js", import.meta.url));

/** How a run of the command line ended. */
export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the built command line.
 *
 * @param during called with the process once it runs
 */
export function hw1(args: readonly string[], during?: (child: ChildProcessWithoutNullStreams) => void): Promise<Run> {
  if (!existsSync(BUILT)) throw new Error(`${BUILT} is not built: run "npm run build" first`);
  const child = spawn(process.execPath, [COMMAND, ...args]);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (data: Buffer) => stdout.push(data));
  child.stderr.on("data", (data: Buffer) => stderr.push(data));
  during?.(child);
  return new Promise((resolve) =>
    child.on("close", (status) =>
      resolve({ status, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    ),
  );
}
