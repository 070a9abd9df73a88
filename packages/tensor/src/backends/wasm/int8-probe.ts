import type { WasmRuntime } from "./runtime.ts";

/** Turns of the probe's loop, some 10 µs, and how often each kind is timed. */
const TURNS = 500;
const REPEATS = 7;
/**
 * A product of bytes counts as one instruction if it takes at most this much longer than one of words and an addition do.
 * With VNNI it takes about as long (5 and 6 cycles on Sapphire Rapids); made of three instructions, twice as long.
 */
const MOST_TIMES_LONGER = 1.4;

/**
 * Whether this processor multiplies and adds bytes in one instruction, which engines do not tell: found by timing chains of
 * products, in less than a millisecond. For the relaxed build only.
 */
export function bytesAreFaster(runtime: WasmRuntime): boolean {
  const { pointer } = runtime.memory.allocate(16);
  const times = { bytes: Infinity, words: Infinity };
  for (let i = 0; i < REPEATS; i++) {
    for (const kind of ["bytes", "words"] as const) {
      const began = performance.now();
      runtime.run("probeDotsJob", 1, [TURNS, kind === "bytes" ? 1 : 0, pointer]);
      times[kind] = Math.min(times[kind], performance.now() - began);
    }
  }
  return times.bytes < MOST_TIMES_LONGER * times.words;
}
