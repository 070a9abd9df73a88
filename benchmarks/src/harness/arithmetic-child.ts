/** The process that computes in registers: see arithmetic.ts. */
import { type ArithmeticKind, type ArithmeticLoop, startArithmeticLoop } from "./arithmetic.ts";
import { serve } from "./child.ts";

const loops = new Map<ArithmeticKind, Promise<ArithmeticLoop>>();

serve({
  /** 10⁹ operations per second of `threads` threads, the best of `passes` passes. */
  async sample(kind: ArithmeticKind, threads: number, passes: number): Promise<number> {
    const started = loops.get(kind) ?? startArithmeticLoop(kind, threads);
    loops.set(kind, started);
    const { sample } = await started;
    let best = 0;
    for (let i = 0; i < passes; i++) best = Math.max(best, await sample());
    return best / 1e9;
  },
});
