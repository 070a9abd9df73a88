/** The machine a result was measured on, and how busy it was. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, loadavg, platform, totalmem } from "node:os";
import { promisify } from "node:util";
import { INSTRUCTION_FLAGS } from "./processor.ts";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly platform: string;
  /** The vector extensions by which engines choose their kernels. */
  readonly simd: readonly string[];
}

/** What other programs took of the processor, as shares of all its cores' time. */
export interface Surroundings {
  /** Waited for them before the measurement. */
  readonly waitedSeconds: number;
  readonly before: number;
  /** During the samples that count, their mean; the largest of the quantities measured. */
  readonly during: number;
  readonly after: number;
  /** One of the three is above the bound (5 %). */
  readonly disturbed: boolean;
}

export interface RunConditions {
  readonly machine: Machine;
  readonly date: string;
  /** Node.js version that the engines ran on. */
  readonly node: string;
  /** One-minute load average when the run began: above about 0.5, something else was running. */
  readonly loadAverage: number;
  /** Of timings: what else ran. Results from before 2026-11-30 have none. */
  readonly surroundings?: Surroundings;
}

const VECTOR_EXTENSIONS = [...INSTRUCTION_FLAGS, "fma"].sort();

export async function runConditions(nodeBinary: string): Promise<RunConditions> {
  const { stdout } = await promisify(execFile)(nodeBinary, ["--version"]);
  return {
    machine: describeMachine(),
    date: new Date().toISOString(),
    node: stdout.trim(),
    loadAverage: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${platform()} ${arch()}`,
    simd: vectorExtensions(),
  };
}

function vectorExtensions(): string[] {
  if (platform() !== "linux") return arch() === "arm64" ? ["asimd"] : []; // every arm64 has Neon
  const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1]?.split(" ") ?? [];
  return VECTOR_EXTENSIONS.filter((extension) => flags.includes(extension));
}

/**
 * The largest resident set this process has had, in bytes. On Linux from `VmHWM`, which begins anew with the program
 * (`getrusage` hands a child its parent's peak).
 */
export function peakResidentBytes(): number {
  if (platform() === "linux") {
    const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  }
  return process.resourceUsage().maxRSS * 1024;
}

/** Prints the largest resident set of its own process, in kilobytes. */
const PRINT_PEAK = `process.stdout.write(process.platform === "linux"
  ? /VmHWM:\\s*(\\d+)/.exec(require("node:fs").readFileSync("/proc/self/status", "utf8"))[1]
  : String(process.resourceUsage().maxRSS))`;

/** The largest resident set of a process that does nothing, in bytes: what the binary itself takes. */
export async function bareResidentBytes(nodeBinary: string): Promise<number> {
  const { stdout } = await promisify(execFile)(nodeBinary, ["-e", PRINT_PEAK]);
  return Number(stdout) * 1024;
}
