// How the scripts run other programs.
import { spawnSync } from "node:child_process";

/** Runs a program to its end; its output as text, without npm's warnings. */
export function spawn(command, args, cwd, options = {}) {
  // npx and npm are scripts on Windows.
  const shell = process.platform === "win32" && command.startsWith("np");
  const result = spawnSync(command, args, { cwd, shell, encoding: "utf8", maxBuffer: 2 ** 26, ...options });
  if (result.error) throw result.error;
  const stderr = result.stderr.replace(/^npm warn .*\n/gm, "");
  return { ...result, stderr };
}

/** What a program prints. Throws an Error if it fails. */
export function run(command, args, cwd) {
  const { status, stdout, stderr } = spawn(command, args, cwd);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed: ${stderr}`);
  return stdout;
}
