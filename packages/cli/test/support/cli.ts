import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const BUILT = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
/** The command that npm links. */
export const MAIN = fileURLToPath(new URL("../../bin/gpt2.js", import.meta.url));

/** How a run of the command line ended. */
export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Buffer;
}

export interface RunOptions {
  /** What standard input holds; nothing unless told otherwise. "open" leaves it to `during`. */
  readonly input?: string | Uint8Array | "open";
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the process once it runs. */
  readonly during?: (child: ChildProcessWithoutNullStreams) => void;
}

/** Runs the built command line. */
export function gpt2(args: readonly string[], { input = "", cwd, env, during }: RunOptions = {}): Promise<Run> {
  if (!existsSync(BUILT)) throw new Error(`${BUILT} is not there: run "npm run build" first`);
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, env: { ...process.env, ...env } });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (data: Buffer) => stdout.push(data));
  child.stderr.on("data", (data: Buffer) => stderr.push(data));
  child.stdin.on("error", () => {}); // a command that fails early does not read its input
  if (input !== "open") child.stdin.end(input);
  during?.(child);
  return new Promise((resolve) =>
    child.on("close", (status) => {
      const stdoutBytes = Buffer.concat(stdout);
      resolve({ status, stdout: stdoutBytes.toString(), stderr: Buffer.concat(stderr).toString(), stdoutBytes });
    }),
  );
}
