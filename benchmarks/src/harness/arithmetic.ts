/**
 * The arithmetic peak: operations per second that WebAssembly's vectors of 128 bits reach in registers, on all threads at
 * once. Each thread runs independent chains, enough to hide the latency of one behind the others; nothing but the
 * loop's counter is computed beside them.
 */
import { startLoops, type ThreadLoops } from "./thread-loops.ts";

/** Chains that, with their operands and a temporary, fill the 16 vector registers of x86-64. */
const CHAINS = 12;
const ITERATIONS = 10_000_000;

/**
 * A step of a chain, and what it counts: multiplications and additions, lane by lane. Operands are loaded from memory before the
 * loop (V8 would make a constant again in every round), and a chain's own value is an operand, so that no two steps are the same
 * and none can be moved out of the loop.
 */
const STEPS = {
  /** float32: a fused multiply-add. */
  fused: { step: (a: string) => `${a} = f32x4.relaxed_madd(x, y, ${a})`, operations: 8 },
  /** float32 without relaxed SIMD: a multiplication and an addition. */
  separate: { step: (a: string) => `${a} = f32x4.add(f32x4.mul(${a}, x), y)`, operations: 8 },
  /** Integers of 16 bits: products summed in pairs, and added to sums of 32 bits. */
  words: { step: (a: string) => `${a} = i32x4.add(${a}, i32x4.dot_i16x8_s(${a}, x))`, operations: 16 },
  /** Integers of 8 bits: products summed in fours, and added to sums of 32 bits. */
  bytes: { step: (a: string) => `${a} = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, y, ${a})`, operations: 32 },
} as const;

export type ArithmeticKind = keyof typeof STEPS;

export interface ArithmeticLoop {
  /** Operations per second of all threads together. */
  sample(): Promise<number>;
}

/** Starts the computing threads; they are idle between samples. */
export async function startArithmeticLoop(kind: ArithmeticKind, threads: number): Promise<ArithmeticLoop> {
  const { step, operations } = STEPS[kind];
  const chains = Array.from({ length: CHAINS }, (_, i) => `a${i}`);
  const source = `
export function loop(count: i32): i32 {
  const x = v128.load(0), y = v128.load(16);
  ${chains.map((a, i) => `let ${a} = v128.load(${32 + 16 * i});`).join("\n  ")}
  for (let i = 0; i < count; i++) {
    ${chains.map((a) => `${step(a)};`).join("\n    ")}
  }
  return i32x4.extract_lane(${chains.reduce((sum, a) => `v128.xor(${sum}, ${a})`)}, 0);
}`;
  const relaxedSimd = kind === "fused" || kind === "bytes";
  const loops: ThreadLoops = await startLoops({ threads, source, count: ITERATIONS, memoryBytes: 65_536, relaxedSimd });
  return { sample: async () => (threads * ITERATIONS * CHAINS * operations) / (await loops.sample()) };
}
