import { nodeModule } from "./features.ts";

/** Addresses that a worker takes, of which it uses next to nothing: 530 to 850 MB in Node 20 to 26. */
const WORKER = 2 ** 30;

/** The addresses of a process on Linux, in bytes. */
export interface AddressSpace {
  /** The most it may use: `ulimit -v`. */
  readonly limit: number;
  readonly used: number;
}

/** The addresses of this process; undefined if they are not limited, or if that cannot be known. */
export function limitedAddressSpace(): AddressSpace | undefined {
  const files = nodeModule<typeof import("node:fs")>("node:fs");
  if (!files) return undefined;
  try {
    const limit = /^Max address space +(\d+)/m.exec(files.readFileSync("/proc/self/limits", "utf8"));
    const used = /^VmSize:\s+(\d+) kB/m.exec(files.readFileSync("/proc/self/status", "utf8"));
    return limit && used ? { limit: Number(limit[1]), used: 1024 * Number(used[1]) } : undefined;
  } catch {
    return undefined; // not Linux
  }
}

/**
 * How many workers the addresses that are left allow. V8 ends the whole process when it finds none for another worker, so that
 * trying is not an option; what one worker would take is left to the program.
 */
export function affordableWorkers({ limit, used }: AddressSpace): number {
  return Math.max(0, Math.floor((limit - used) / WORKER) - 1);
}

/** Why there is no memory for the kernels, and what to do about it. */
export function whyNoMemory(space: AddressSpace | undefined, cause: unknown): string {
  if (!space) return `this engine gives no shared WebAssembly memory (${(cause as Error).message})`;
  const limit = (space.limit / 2 ** 30).toFixed(1);
  return (
    `too few addresses for a WebAssembly memory: ulimit -v allows ${limit} GiB, and V8 takes 10 GiB beside what Node uses. ` +
    "Raise the limit (ulimit -v unlimited), or set NODE_OPTIONS=--disable-wasm-trap-handler, with which V8 takes no more " +
    "addresses than the memory has bytes; the reference device needs none"
  );
}
