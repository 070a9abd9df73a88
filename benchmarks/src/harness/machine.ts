/** The machine a result was measured on, and how busy it was. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, loadavg, platform, totalmem } from "node:os";
import { promisify } from "node:util";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly platform: string;
  /** The vector extensions by which native engines choose their kernels. */
  readonly simd: readonly string[];
}

export interface RunConditions {
  readonly machine: Machine;
  readonly date: string;
  /** Node.js version that the engines ran on. */
  readonly node: string;
  /** One-minute load average when the run began: above about 0.5, something else was running. */
  readonly loadAverage: number;
}

const VECTOR_EXTENSIONS = ["avx2", "fma", "avx512f", "avx512_vnni", "asimd"];

export async function runConditions(nodeBinary: string): Promise<RunConditions> {
  const { stdout } = await promisify(execFile)(nodeBinary, ["--version"]);
  return {
    machine: describeMachine(),
    date: new Date().toISOString(),
    node: stdout.trim(),
    loadAverage: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${platform()} ${arch()}`,
    simd: vectorExtensions(),
  };
}

function vectorExtensions(): string[] {
  if (platform() !== "linux") return [];
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
