/**
 * The bandwidth of a plain read loop: what memory yields at the time, the limit of decoding. Each of two threads reads a block of
 * its own that no cache holds, 16 bytes at a time, and adds up what it read.
 */
import { startLoops } from "./thread-loops.ts";

/** Bytes each thread reads: many times the last-level cache. */
const BLOCK_BYTES = 256 * 2 ** 20;

/** AssemblyScript: four independent sums, so that the additions never hold up the loads. */
const READ_LOOP = `
export function loop(bytes: usize): f32 {
  let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
  for (let p: usize = 0; p < bytes; p += 64) {
    a = f32x4.add(a, v128.load(p));
    b = f32x4.add(b, v128.load(p, 16));
    c = f32x4.add(c, v128.load(p, 32));
    d = f32x4.add(d, v128.load(p, 48));
  }
  const s = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
  return f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1) + f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3);
}`;

export interface ReadLoop {
  /** Bytes per second that all threads together read, in one pass. */
  sample(): Promise<number>;
}

/** Starts the reading threads; they are idle between samples. */
export async function startReadLoop(threads: number): Promise<ReadLoop> {
  const loops = await startLoops({ threads, source: READ_LOOP, count: BLOCK_BYTES, memoryBytes: BLOCK_BYTES });
  return { sample: async () => (threads * BLOCK_BYTES) / (await loops.sample()) };
}
