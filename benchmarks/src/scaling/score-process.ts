/** `gpt2 score` in a process of its own: how fast it says that it was, and what the process took. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { REPOSITORY } from "../paths.ts";

const COMMAND = join(REPOSITORY, "packages", "cli", "bin", "gpt2.js");

/** What a run took. */
export interface Took {
  /** By the last line on standard error: without loading the model. */
  readonly tokensPerSecond: number;
  /** The largest resident set. */
  readonly peakBytes: number;
  readonly cpuSeconds: number;
}

/** Runs in the process before the command, and tells at its end, not at that of its workers. Linux counts a child's peak anew. */
const TELL = `
import { readFileSync, writeSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
if (isMainThread) process.on("exit", () => {
  const [, kilobytes] = /VmHWM:\\s*(\\d+)/.exec(process.platform === "linux" ? readFileSync("/proc/self/status", "utf8") : "") ?? [];
  const peakBytes = 1024 * Number(kilobytes ?? process.resourceUsage().maxRSS);
  const { user, system } = process.cpuUsage();
  writeSync(3, JSON.stringify({ peakBytes, cpuSeconds: (user + system) / 1e6 }));
});`;

/** @throws Error with what it said, if it fails */
export async function score(corpus: string, flags: readonly string[], node: string): Promise<Took> {
  const told = `data:text/javascript,${encodeURIComponent(TELL)}`;
  const child = spawn(node, ["--import", told, COMMAND, "score", corpus, ...flags], {
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr!.on("data", (data: Buffer) => {
    said += data;
  });
  let end = "";
  child.stdio[3]!.on("data", (data: Buffer) => {
    end += data;
  });
  const [status] = await once(child, "close");
  const [, speed] = /([\d,]+) tokens\/s\s*$/.exec(said) ?? [];
  if (status !== 0 || speed === undefined) throw new Error(`gpt2 score ended with status ${status}: ${said}`);
  return { tokensPerSecond: Number(speed.replaceAll(",", "")), ...JSON.parse(end) };
}
