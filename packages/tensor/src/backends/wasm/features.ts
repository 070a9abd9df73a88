// What this engine can run, found by validating modules of a few bytes, without compiling our kernels.

const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
/** Types: () → (); one function of type 0. */
const oneFunction = [0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02, 0x01, 0x00];

function validates(body: readonly number[]): boolean {
  const code = [0x0a, body.length + 4, 0x01, body.length + 2, 0x00, ...body, 0x0b];
  return WebAssembly.validate(new Uint8Array([...header, ...oneFunction, ...code]));
}

const v128Zero = [0xfd, 0x0c, ...new Array<number>(16).fill(0)];

/** 128-bit SIMD: `v128.const 0; drop`. */
export function hasSimd(): boolean {
  return typeof WebAssembly === "object" && validates([...v128Zero, 0x1a]);
}

/** Relaxed SIMD: `f32x4.relaxed_madd` (0xfd 0x105) of three zeros; drop. */
export function hasRelaxedSimd(): boolean {
  return hasSimd() && validates([...v128Zero, ...v128Zero, ...v128Zero, 0xfd, 0x85, 0x02, 0x1a]);
}

/** Whether memory may be shared with workers: always in Node, in a page only when it is cross-origin isolated. */
export function canShareMemory(): boolean {
  if (typeof SharedArrayBuffer === "undefined") return false;
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated;
  return isolated !== false;
}

/** Whether this thread may block in `Atomics.wait`: not on the main thread of a page. */
export function canBlock(): boolean {
  return typeof (globalThis as { window?: unknown }).window === "undefined";
}

/**
 * Threads worth using by default: up to four, all of them; beyond that, half. Counts include hyper-threads, which share the units
 * that these kernels saturate, and a few cores exhaust the memory that a token's weights are read from.
 */
export function defaultThreads(): number {
  if (!canShareMemory()) return 1;
  const cores = globalThis.navigator?.hardwareConcurrency ?? nodeCores();
  return cores <= 4 ? cores : Math.min(16, Math.max(4, cores >> 1));
}

function nodeCores(): number {
  return nodeModule<typeof import("node:os")>("node:os")?.availableParallelism() ?? 1;
}

/** A built-in module of Node; undefined elsewhere. Not an import, so that bundlers for browsers have nothing to resolve. */
export function nodeModule<T>(name: string): T | undefined {
  const host = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process;
  return host?.getBuiltinModule?.(name) as T | undefined;
}
