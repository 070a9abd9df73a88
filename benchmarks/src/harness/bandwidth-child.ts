/** The process that reads memory: see bandwidth.ts. */
import { type ReadLoop, startReadLoop } from "./bandwidth.ts";
import { serve } from "./child.ts";

let loop: Promise<ReadLoop> | undefined;

serve({
  /** Gigabytes (10⁹ bytes) per second that `threads` threads read, the best of `passes` passes. */
  async sample(threads: number, passes: number): Promise<number> {
    loop ??= startReadLoop(threads);
    const { sample } = await loop;
    let best = 0;
    for (let i = 0; i < passes; i++) best = Math.max(best, await sample());
    return best / 1e9;
  },
});
